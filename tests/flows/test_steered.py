"""A person steers a release that is under way: hold, resume, promote, abort, each kept with name and reason."""

from __future__ import annotations

import time

import pytest
from desk import Desk, Running, only, release
from images import made
from look import Look, Regions
from test_canary import nothing_left

pytestmark = pytest.mark.slow
REGION = "us-east-1"


def begun(desk: Desk) -> Running:
    """A canary in one region with so few users that no verdict comes by itself."""
    return desk.start("release", f"v{made(desk).version}", "--strategy", "canary", *only(REGION))


def test_a_held_canary_stays_where_it_is_until_it_is_resumed(desk: Desk, look: Look, served: Regions) -> None:
    with begun(desk) as running:
        running.until("now has 10 %")
        run = desk.under_way()
        held = desk.tidegate("hold", run, "--reason", "let us look first", actor="eve")
        assert held.code == 0, held.text
        desk.users(20.0)
        running.until(f"{REGION}: held by eve: let us look first")
        time.sleep(3)
        assert "now has 25 %" not in running.text
        assert desk.tidegate("resume", run, actor="eve").code == 0
        running.until("goes on")
        result = running.end(300)
    assert (result.code, result.word) == (0, "released"), result.text


def test_a_promoted_canary_waits_for_no_evidence(desk: Desk, look: Look, served: Regions) -> None:
    with begun(desk) as running:
        running.until("now has 10 %")
        told = desk.tidegate("promote", desk.under_way(), "--reason", "the errors are known", actor="eve")
        assert told.code == 0, told.text
        result = running.end(120)
    assert (result.code, result.word) == (0, "released"), result.text
    assert f"{REGION}: promoted by eve: " in result.text


@pytest.mark.parametrize("moment", ["is being upgraded", "now has 10 %"])
def test_an_aborted_release_takes_back_what_it_changed(desk: Desk, look: Look, served: Regions, moment: str) -> None:
    with begun(desk) as running:
        running.until(moment)
        run = desk.under_way()
        without = desk.tidegate("abort", run, "--reason", " ", actor="eve")
        assert (without.code, "an abort needs a reason" in without.text) == (2, True), without.text
        assert desk.tidegate("abort", run, "--reason", "wrong version", actor="eve").code == 0
        result = running.end()
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert result.reason == f"{REGION}: aborted by eve: wrong version"
    look.back_on(served, REGION)
    nothing_left(look, REGION)


def test_a_release_that_is_aborted_late_goes_back_everywhere(
    desk: Desk, look: Look, good: Regions, another: str
) -> None:
    """Between the waves or in the second one: `tests/tasks/test_waves.py` has the moments apart."""
    with desk.start(*release(another)) as running:
        running.until(f"{REGION}: {another} is live", within=240)
        desk.steer("abort", "wrong version")
        result = running.end()
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert "aborted by ada: wrong version" in result.reason
    assert result.regions()[REGION] == "recovered"
    look.back_on(good, *(name for name, word in result.regions().items() if word == "recovered"))


def test_orders_to_a_release_that_goes_back_change_nothing_and_say_so(
    desk: Desk, look: Look, good: Regions, another: str
) -> None:
    second = "eu-west-1"  # the lock is in the first region
    desk.behave(another.removeprefix("v"), second, crashes=True)
    with desk.start(*release(another, *only(second))) as running:
        running.until(f"{second}: shop-", within=240)
        run = desk.under_way()
        running.until(f"{second}: going back")
        # Half a second for each answer keeps it on its way back.
        desk.fault("kubernetes", "slow", second)
        for order in ("hold", "promote", "abort"):
            told = desk.tidegate(order, run, "--reason", "too late", actor="eve")
            assert told.code == 0, told.text
            assert "It is being taken back already and goes on with that: this changes nothing." in told.text
        desk.calm()
        result = running.end()
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert result.reason.startswith(f"{second}: CrashLoopBackOff: ")
    assert result.outcome["quarantined"] is True, "an abort that came too late spares no version"
    assert "by eve" not in result.text
    look.back_on(good, second)


def test_a_run_that_is_not_under_way_cannot_be_steered(desk: Desk, served: Regions) -> None:
    for order in ("abort", "hold", "resume", "promote"):
        told = desk.tidegate(order, "0000", "--reason", "x")
        assert told.code == 2
        assert ("there is no run 0000" if order == "abort" else "no release 0000 is under way") in told.text
