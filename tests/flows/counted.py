"""What users got, by the gateway's own counters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from clients.metrics import ERRORS, traefik
from clients.metrics_text import points
from config import load
from release.environment import Region

# (who answered, code) -> requests: a Service for what its pods answered, `gateway` for what the route counts besides.
Failed = Counter[tuple[str, str]]
GATEWAY = "gateway"


@contextmanager
def failures(*regions: str) -> Iterator[dict[str, Failed]]:
    """Region -> the requests that fail while the block runs; it is filled when the block ends."""
    found = load.environment("production").regions
    chosen = {name: found[name] for name in regions or found}
    before = {name: _failed(region) for name, region in chosen.items()}
    since: dict[str, Failed] = {}
    yield since
    for name, region in chosen.items():
        since[name] = _failed(region) - before[name]


def requests(region: str) -> int:
    """All requests of the region's users so far."""
    return sum(_counts(load.environment("production").regions[region], "router").values())


def _failed(region: Region) -> Failed:
    """An application that is bad answers 500 itself; what else the route counted no version has made."""
    made = {key: number for key, number in _counts(region, "service").items() if key[1] == "500"}
    failed: Failed = Counter(made)
    for (_, code), number in _counts(region, "router").items():
        if re.fullmatch(ERRORS, code):
            failed[GATEWAY, code] += number - (sum(made.values()) if code == "500" else 0)
    return +failed


def _counts(region: Region, level: str) -> Counter[tuple[str, str]]:
    """(service or router, code) -> requests, of the users' route only."""
    settings = load.settings()
    url = str(settings.monitoring.metrics).replace("{region}", region.name)
    text = httpx.get(url, timeout=10, trust_env=False).raise_for_status().text
    app = settings.application.name
    target = traefik(region.name, app, region.namespace, f"{app}-green", f"{app}-blue")
    counted: Counter[tuple[str, str]] = Counter()
    for point in points(text):
        name, code = point.labels.get(level, ""), point.labels.get("code", "")
        ours = name in (target.canary, target.stable)
        if level == "router":
            ours = name.startswith(target.router) and f"-ep-{target.entry}-" in name
        if ours and point.name == f"traefik_{level}_requests_total":
            counted[name, code] += round(point.value)
    return counted
