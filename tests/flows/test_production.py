"""What one production release does and leaves in every region, each line of it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import ask
import pytest
from desk import PODS, Desk, only, release
from images import made
from look import Look, Regions
from test_canary import told

from config import load

pytestmark = pytest.mark.slow
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")


def container(look: Look, region: str) -> dict[str, str]:
    """The live Deployment's variables."""
    found = deployment(look, region)["spec"]["template"]["spec"]["containers"][0]
    return {one["name"]: one.get("value", "(a secret)") for one in found["env"]}


def deployment(look: Look, region: str) -> dict[str, Any]:
    """The Deployment that has the users."""
    found = look.kubectl("get", "deployments", "-o", "json", context=f"production-{region}")
    live = look.kubectl("get", "httproute", "shop", "-o", "json", context=f"production-{region}")
    backends = json.loads(live)["spec"]["rules"][0]["backendRefs"]
    name = next(one["name"] for one in backends if one["weight"] == 100)
    return next(one for one in json.loads(found)["items"] if one["metadata"]["name"] == name)


def test_what_a_release_does_and_leaves(desk: Desk, look: Look, good: Regions) -> None:
    artifact, environment = made(desk), load.environment("production")
    tag = f"v{artifact.version}"
    result = desk.tidegate(*release(tag))
    assert (result.code, result.word) == (0, "released"), result.text

    # The originals deployed an image that nobody had built: production's is staging's, under the release's tag.
    assert ask.image(tag) == ask.image(f"staging-{artifact.version}")
    assert (ask.image(tag) or ("",))[0] == artifact.digest

    # Regions do not overwrite each other: each has its own objects, its own variables, its own GitHub environment.
    assert look.digests() == dict.fromkeys(REGIONS, (artifact.digest, PODS))
    assert ask.addresses(artifact.commit) == {
        f"production-{name}": region.address for name, region in environment.regions.items()
    }
    assert look.deployments(artifact.commit) == {f"production-{name}": ["in_progress", "success"] for name in REGIONS}
    for name in REGIONS:
        variables = container(look, name)
        assert variables["REGION"] == name
        assert variables["ENVIRONMENT"] == "production"
        assert variables["DB_HOST"] == "prod-db.ecommerce.com"
        assert variables["PROD_API_KEY"] == "(a secret)"

    # Rolled out with production's numbers, probed and smoke-tested where the users are.
    rolling = environment.rolling
    assert (rolling.max_unavailable, rolling.max_surge, rolling.timeout) == ("25%", "25%", 1200)
    assert (environment.probe.attempts, environment.replicas) == (10, PODS)
    for name in REGIONS:
        spec = deployment(look, name)["spec"]
        assert spec["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": "25%"}
        lines = told(result, name)
        order = ("is being upgraded", "chart's tests", "health probe answered", "smoke-production passed", "is live")
        places = [next(number for number, line in enumerate(lines) if part in line) for part in order]
        assert places == sorted(places)

    # Everybody is told.
    start, end = [one for one in look.picture()["monitoring"] if one["version"] == tag]
    assert (start["event"], end["event"]) == ("deployment_start", "deployment_success")
    assert set(end) - {"at"} == {"event", "version", "strategy", "timestamp"}
    assert datetime.fromisoformat(end["timestamp"]) >= datetime.fromisoformat(start["timestamp"])
    message = look.slack("releases")[-1]
    for part in (f"Version: {tag}", "Strategy: rolling", *(f"{name} (" for name in REGIONS), " s)", "Took: "):
        assert part in message


def test_a_failure_pages_who_is_on_call(desk: Desk, look: Look, served: Regions) -> None:
    artifact = made(desk)
    desk.behave(artifact.version, "us-east-1", crashes=True)
    home = desk.variant(tidegate={"slack": {"on_call": "<!subteam^S0NCALL>"}})
    result = desk.tidegate(*release(f"v{artifact.version}", "--region", "us-east-1"), home=home)
    assert (result.code, result.word) == (3, "recovered"), result.text
    look.back_on(served, "us-east-1")
    message = look.slack("incidents")[-1]
    live = look.live()["us-east-1"]["version"]
    for part in (
        "<!here> <!subteam^S0NCALL>",
        f"Version: v{artifact.version}",
        "Strategy: rolling",
        "was brought back",
        "CrashLoopBackOff",
        f"us-east-1 is on v{live}",
    ):
        assert part in message
    assert look.picture()["monitoring"][-1]["event"] == "deployment_failure"
    assert look.deployments(artifact.commit) == {"production-us-east-1": ["in_progress", "failure"]}


def test_regions_that_took_a_version_can_keep_it(desk: Desk, look: Look, served: Regions) -> None:
    artifact = made(desk)
    desk.behave(artifact.version, "eu-west-1", crashes=True)
    home = desk.variant(production={"recover": "failed"})
    result = desk.tidegate(*release(f"v{artifact.version}", *only("us-east-1", "eu-west-1")), home=home)
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert result.regions() == {"eu-west-1": "recovered", "us-east-1": "released"}
    look.back_on({**served, "us-east-1": (artifact.digest, PODS)}, "us-east-1", "eu-west-1")
    incident = look.slack("incidents")[-1]
    assert f"us-east-1 is on v{artifact.version}" in incident
