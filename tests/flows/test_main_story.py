"""Stage a version, release it to three regions, release a bad one: as the README tells it."""

from __future__ import annotations

import pytest
from desk import TEN, Desk
from look import Look, Regions

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")

pytestmark = pytest.mark.slow


def test_a_staged_version_is_released_to_every_region(desk: Desk, look: Look) -> None:
    version = "1.6.0" if {one["version"] for one in look.live().values()} == {"1.4.0"} else "1.4.0"
    staged = desk.stage(f"v{version}")
    assert (staged.code, staged.word) == (0, "released")
    result = desk.tidegate("release", f"v{version}", "--accept-no-way-back", home=desk.variant(production=TEN))
    assert (result.code, result.word) == (0, "released"), result.text
    assert set(result.regions()) == set(REGIONS)
    digest = staged.outcome["digest"]
    assert look.digests() == dict.fromkeys(REGIONS, (digest, 10))
    assert {one["version"] for one in look.live().values()} == {version}
    run = look.run(result.outcome["run"])
    assert (run["state"]["type"], run["state"]["name"]) == ("COMPLETED", "Released")
    assert set(REGIONS) <= set(look.subflows(result.outcome["run"]))
    wanted = {"staging", *(f"production-{region}" for region in REGIONS)}
    # What was staged since then made staging's inactive.
    assert {name: states[:2] for name, states in look.deployments(result.outcome["commit"]).items()} == {
        name: ["in_progress", "success"] for name in wanted
    }
    told = look.slack("releases")[-1]
    for part in (f"v{version} is live", f"Version: v{version}", "Strategy: rolling", *REGIONS):
        assert part in told
    event = look.picture()["monitoring"][-1]
    assert (event["event"], event["version"], event["strategy"]) == ("deployment_success", f"v{version}", "rolling")


def test_a_version_that_is_live_is_not_released_again(desk: Desk, look: Look, good: Regions) -> None:
    before = look.versions()
    live = next(iter(look.live().values()))["version"]
    result = desk.tidegate("release", f"v{live}")
    assert (result.code, result.word) == (0, "unchanged")
    assert result.outcome["seconds"] < 10
    assert look.run(result.outcome["run"])["state"]["name"] == "Unchanged"
    assert look.versions() == before


def test_a_version_that_crashes_in_a_later_wave_is_taken_back_in_reverse(desk: Desk, look: Look, good: Regions) -> None:
    version = look.live()["us-east-1"]["version"]
    commit = desk.stage("v1.5.0").outcome["commit"]
    result = desk.tidegate("release", "v1.5.0")
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert result.reason.startswith("ap-southeast-1: CrashLoopBackOff: ")
    assert "exit code 1" in result.reason
    assert result.outcome["next_step"]
    look.back_on(good)
    back = [line.split("  ")[1].partition(":")[0] for line in result.text.splitlines() if "going back" in line]
    assert back[-1] == "us-east-1"
    assert sorted(back, key=REGIONS.index, reverse=True) == back
    run = look.run(result.outcome["run"])
    assert (run["state"]["type"], run["state"]["name"]) == ("FAILED", "Recovered")
    deployments = look.deployments(commit)
    assert deployments["production-us-east-1"] == ["in_progress", "success", "inactive"]
    assert deployments["production-ap-southeast-1"] == ["in_progress", "failure"]
    told = look.slack("incidents")[-1]
    for part in ("v1.5.0", "CrashLoopBackOff", f"us-east-1 is on v{version}", "Strategy: rolling", "<!here>", "ada"):
        assert part in told
    assert look.picture()["monitoring"][-1]["event"] == "deployment_failure"


def test_a_version_that_staging_never_verified_is_refused(desk: Desk, look: Look, good: Regions) -> None:
    before = look.versions()
    result = desk.tidegate("release", "v1.3.0")
    assert (result.code, result.word) == (2, "refused")
    assert result.reason.startswith("tag: staging never verified v1.3.0")
    assert "tidegate stage v1.3.0" in result.outcome["next_step"]
    run = look.run(result.outcome["run"])
    assert (run["state"]["type"], run["state"]["name"]) == ("FAILED", "Refused")
    assert look.versions() == before
