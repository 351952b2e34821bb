"""A canary in production: its users come in steps, a verdict at each; a bad one leaves nothing behind."""

from __future__ import annotations

import json
import re
import time

import ask
import httpx
import pytest
from desk import PODS, Desk, Result, only
from images import made
from look import Look, Regions

from config import load
from release.model import Artifact
from release.verdict import sketch

pytestmark = pytest.mark.slow
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")
FIRST = "us-east-1"


@pytest.fixture
def crowd(desk: Desk) -> None:
    """Users enough for a verdict within seconds."""
    desk.users(20.0)


def canary(artifact: Artifact, *regions: str) -> tuple[str, ...]:
    return ("release", f"v{artifact.version}", "--strategy", "canary", *only(*regions))


def told(result: Result, region: str) -> list[str]:
    """The lines of one region, in their order."""
    return [line.split(f"{region}: ", 1)[1] for line in result.text.splitlines() if f"  {region}: " in line]


def version_at(address: str, **headers: str) -> str:
    answer = httpx.get(f"{address}/version", headers=headers, timeout=5, trust_env=False)
    return str(answer.raise_for_status().json()["version"])


def nothing_left(look: Look, region: str) -> None:
    """Only the live slot is there, with all the users, and nothing is to be retired."""
    context = f"production-{region}"
    route = json.loads(look.kubectl("get", "httproute", "shop", "-o", "json", context=context))
    weights = {one["name"]: one["weight"] for one in route["spec"]["rules"][0]["backendRefs"]}
    (live,) = (name for name, weight in weights.items() if weight == 100)
    assert sorted(weights.values()) == [0, 100]
    assert "tidegate.dev/retire" not in route["metadata"]["annotations"]
    assert look.slots(context) == {live}


def test_a_good_canary_gets_its_users_in_steps(desk: Desk, look: Look, good: Regions, crowd: None) -> None:
    artifact = made(desk)
    with desk.start(*canary(artifact)) as running:
        running.until(lambda: re.search(rf"{FIRST}: (blue|green) now has 10 %", running.text) is not None)
        found = re.search(rf"{FIRST}: (blue|green) now has 10 %", running.text)
        assert found is not None
        # A tester sees it whatever the weights; with one user in ten, somebody else sees the other one.
        address = load.environment("production").regions[FIRST].address
        assert version_at(address, **{"x-tidegate-slot": found[1]}) == artifact.version
        assert any(version_at(address) != artifact.version for _ in range(100))
        result = running.end(300)
    assert (result.code, result.word, result.outcome["strategy"]) == (0, "released", "canary"), result.text
    assert look.digests() == dict.fromkeys(REGIONS, (artifact.digest, PODS))
    for region in REGIONS:
        lines = told(result, region)
        shifts = [int(line.split(" now has ")[1].split()[0]) for line in lines if " now has " in line]
        assert shifts == [10, 25, 50, 100]
        assert [line.split()[0] for line in lines].count("ADVANCE") == 3, lines
        assert ask.artifacts(result.outcome["run"]) is not None
    # Regions of one wave take each step together: nobody has 25 % before both accept 10 %.
    both = [line.split("  ", 1)[1] for line in result.text.splitlines() if re.search("eu-west-1|ap-southeast-1", line)]
    for share in (25, 50, 100):
        first = next(number for number, line in enumerate(both) if f" now has {share} %" in line)
        verdicts = [line for line in both[:first] if ": ADVANCE " in line]
        assert len(verdicts) == 2 * ((25, 50, 100).index(share) + 1), both


def test_a_bad_canary_is_taken_back_at_its_first_weight(desk: Desk, look: Look, served: Regions, crowd: None) -> None:
    """The originals left theirs running. Six of a hundred requests fail, and the number is told."""
    artifact = made(desk)
    with desk.start(*canary(artifact)) as running:
        running.until("now has 10 %")
        desk.behave(artifact.version, FIRST, error_rate=0.06)
        result = running.end()
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert result.reason.startswith(f"{FIRST}: ROLLBACK after ")
    counted = re.search(r"canary ([\d.]+)% errors \((\d+)/(\d+)\) vs stable 0\.0% \(0/\d+\)", result.reason)
    assert counted is not None
    assert 0.02 < int(counted[2]) / int(counted[3]) < 0.2
    assert result.regions() == {FIRST: "recovered", "eu-west-1": "unchanged", "ap-southeast-1": "unchanged"}
    assert "now has 25 %" not in result.text
    look.back_on(served, FIRST)
    nothing_left(look, FIRST)
    assert counted[0] in look.slack("incidents")[-1]
    # What it saw is kept, and says the same.
    kept = desk.home / "work" / "runs"
    assert [path for path in kept.rglob(f"verdict-{FIRST}.jsonl") if path.stat().st_size > 0]
    # And told to Prefect in few points, for a board on another machine.
    course = ask.newest(f"live-production-{FIRST}")
    assert course["run"] == result.outcome["run"]
    assert len(sketch.points(course)) > 1 and FIRST in course["title"]


def test_a_canary_that_its_service_does_not_find_is_taken_back(desk: Desk, look: Look, served: Regions) -> None:
    """Its users get errors that no Service counts, only the route; and few of them."""
    artifact, patch = made(desk), ("patch", "service", "--type", "merge", "-p")
    desk.users(2.5)
    with desk.start(*canary(artifact, FIRST)) as running:
        running.until(lambda: re.search(rf"{FIRST}: (blue|green) now has 10 %", running.text) is not None)
        found = re.search(rf"{FIRST}: (blue|green) now has 10 %", running.text)
        assert found is not None
        service, context = f"shop-{found[1]}", f"production-{FIRST}"
        look.kubectl(*patch, '{"spec": {"selector": {"nobody": "here"}}}', service, context=context)
        try:
            result = running.end()
        finally:
            look.kubectl(*patch, '{"spec": {"selector": {"nobody": null}}}', service, context=context)
    assert (result.code, result.word) == (3, "recovered"), result.text
    counted = re.match(rf"{FIRST}: ROLLBACK after .* canary [\d.]+% errors \((\d+)/\d+\) vs stable 0", result.reason)
    assert counted is not None, result.reason
    assert int(counted[1]) <= 40
    assert "now has 25 %" not in result.text
    assert look.digests() == served
    nothing_left(look, FIRST)


@pytest.mark.parametrize("mode", ["500", "lying"])
def test_missing_metrics_are_no_health_and_no_fault(
    desk: Desk, look: Look, served: Regions, crowd: None, mode: str
) -> None:
    """The originals took an error rate that nobody could read for zero."""
    artifact = made(desk)
    with desk.start(*canary(artifact, FIRST)) as running:
        running.until("now has 10 %")
        desk.fault("monitoring", mode)
        ends = time.monotonic() + 15
        while time.monotonic() < ends:
            assert running.process.poll() is None, running.text
            assert "now has 25 %" not in running.text
            assert "going back" not in running.text
            time.sleep(0.2)
        desk.fault("monitoring", "ok")
        result = running.end(300)
    assert (result.code, result.word) == (0, "released"), result.text
    assert any("NO_DATA" in line for line in told(result, FIRST)), result.text


def test_a_canary_that_nobody_sees_is_not_promoted(desk: Desk, look: Look, served: Regions) -> None:
    artifact = made(desk)
    desk.users(0)
    result = desk.tidegate(*canary(artifact, FIRST))
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert "rolling back as unverified" in result.reason
    assert "now has 25 %" not in result.text
    look.back_on(served, FIRST)
    nothing_left(look, FIRST)
