"""Each region of a release is worked on beside its cluster; who runs the release could not do it himself."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from desk import PODS, Desk, descendants, release
from look import Look, Regions
from regional import Workers, workers
from test_hotfix import branch, live
from test_retire import slots
from waiting import until

pytestmark = pytest.mark.slow
ALL = ("us-east-1", "eu-west-1", "ap-southeast-1")


@pytest.fixture(scope="module")
def beside(desk: Desk) -> Iterator[Workers]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIDEGATE_HOME", str(desk.home))
        with workers(desk, Look(desk.home)) as found:
            yield found


def now() -> str:
    return datetime.now(UTC).isoformat()


def done(beside: Workers, since: str) -> set[tuple[str, str, str]]:
    """(region, what was done there, how it ended) of each run in a region's worker."""
    found = beside.runs(since)
    return {(one["parameters"]["region"], one["parameters"]["do"], one["state"]["name"]) for one in found}


def test_a_canary_takes_its_steps_together_in_three_workers(
    desk: Desk, look: Look, another: str, beside: Workers
) -> None:
    desk.users(20.0)
    began = now()
    result = desk.tidegate(*release(another, "--strategy", "canary"), home=beside.central)
    assert (result.code, result.word) == (0, "released"), result.text
    assert {one["version"] for one in look.live().values()} == {another.removeprefix("v")}
    assert done(beside, began) == {(name, "check", "Unchanged") for name in ALL} | {
        (name, "forward", "Released") for name in ALL
    }


def test_one_regions_failure_takes_all_back_each_in_its_own_worker(
    desk: Desk, look: Look, good: Regions, another: str, beside: Workers
) -> None:
    desk.behave(another.removeprefix("v"), "ap-southeast-1", crashes=True)
    began = now()
    result = desk.tidegate(*release(another), home=beside.central)
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert "ap-southeast-1" in result.reason and "CrashLoopBackOff" in result.reason
    look.back_on(good)
    found = done(beside, began)
    assert ("ap-southeast-1", "forward", "Failed") in found
    assert {(name, "back", "Recovered") for name in ALL} <= found
    assert result.outcome["quarantined"] is True


def test_a_region_whose_run_is_lost_is_begun_once_more(
    desk: Desk, look: Look, good: Regions, another: str, beside: Workers
) -> None:
    desk.behave(another.removeprefix("v"), "us-east-1", ready_after=3.0)
    began = now()
    with desk.start(*release(another), home=beside.central) as running:
        until(lambda: ("us-east-1", "forward", "Running") in done(beside, began))
        for pid in descendants(beside.processes["us-east-1"].pid):
            os.kill(pid, signal.SIGKILL)
        result = running.end(400)
    assert (result.code, result.word) == (0, "released"), result.text
    assert "us-east-1: its run ended without a word" in result.text
    assert {(one["version"], one["ready"]) for one in look.live().values()} == {(another.removeprefix("v"), PODS)}


def test_a_rollback_passes_each_regions_own_worker(desk: Desk, look: Look, good: Regions, beside: Workers) -> None:
    version, _ = desk.add_version()
    desk.stage(f"v{version}")
    assert desk.tidegate(*release(f"v{version}"), home=beside.central).word == "released"
    began = now()
    result = desk.tidegate("rollback", "--reason", "the drill", home=beside.central)
    assert (result.code, result.word) == (0, "released"), result.text
    assert look.digests() == good
    assert done(beside, began) == {(name, "back", "Recovered") for name in ALL}


def test_a_slot_whose_window_is_over_is_removed_by_its_regions_worker(
    desk: Desk, look: Look, good: Regions, another: str, beside: Workers
) -> None:
    asked = (*release(another), "--strategy", "blue-green")
    assert desk.tidegate(*asked, home=beside.central).word == "released"
    before = look.digests()
    began = now()
    result = desk.tidegate("retire", home=beside.central)
    assert (result.code, result.word) == (0, "released"), result.text
    assert done(beside, began) == {(name, "retire", "Released") for name in ALL}
    assert look.digests() == before
    for name in ALL:
        assert len(slots(look, name)) == 1


def test_a_critical_hotfix_that_errs_stops_and_goes_back_in_its_regions_workers(
    desk: Desk, look: Look, good: Regions, beside: Workers
) -> None:
    name = branch(desk, "far-erring", live(look), {"error-rate": "eu-west-1=0.3"})
    began = now()
    result = desk.tidegate("hotfix", name, home=beside.central)
    assert (result.code, result.word) == (3, "recovered"), result.text
    look.back_on(good, "us-east-1", "eu-west-1")
    assert done(beside, began) == {
        *((region, "check", "Unchanged") for region in ALL),
        ("us-east-1", "emergency", "Released"),
        ("eu-west-1", "emergency", "Failed"),
        *((region, "back", "Recovered") for region in ("us-east-1", "eu-west-1")),
    }


def test_a_critical_hotfix_passes_one_region_after_the_other(
    desk: Desk, look: Look, good: Regions, beside: Workers
) -> None:
    name = branch(desk, "far", live(look))
    began = now()
    result = desk.tidegate("hotfix", name, home=beside.central)
    assert (result.code, result.word) == (0, "released"), result.text
    assert look.digests() == dict.fromkeys(ALL, (result.outcome["digest"], PODS))
    parts = [one for one in beside.runs(began) if one["parameters"]["do"] == "emergency"]
    assert [one["parameters"]["region"] for one in parts] == list(ALL)
    for earlier, later in itertools.pairwise(parts):
        assert earlier["end_time"] < later["start_time"]
