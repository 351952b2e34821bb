"""An environment as its file would give it, built by hand: these tests need nothing but Python."""

from __future__ import annotations

from release.environment import Environment, Probe, Region, Rolling, SecretRef
from release.gates import Gates

_REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")
PRODUCTION = Environment(
    name="production",
    regions={name: Region(name, name, "production", f"https://{name}.example.com") for name in _REGIONS},
    waves=(("us-east-1",), ("eu-west-1", "ap-southeast-1")),
    parallel=3,
    replicas=10,
    rolling=Rolling("25%", "25%", timeout=1200, ready_within=60, scheduled_within=5, poll=1),
    probe=Probe("/health", attempts=10, gap=30, timeout=5),
    gates=Gates(approvals=2, wait=1800, protected_branch="main"),
    lock_lease=60,
    variables={"API_URL": "https://api.example.com"},
    secrets={name: SecretRef("env", name) for name in ("DB_PASSWORD", "API_KEY", "PROD_API_KEY")},
    kubernetes_secret="shop-secrets",
)
