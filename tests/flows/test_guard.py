"""After a release somebody watches the rollback window by itself: it pages or goes back, and never outlives it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk import Desk, Result, release
from look import Look, Regions

from config import load
from sandbox import state
from tasks import context

pytestmark = pytest.mark.slow
LIVE = r".metadata.annotations.tidegate\.dev/live"


@pytest.fixture
def guarded(desk: Desk) -> Iterator[Desk]:
    """Releases from here on leave their guard behind, as they do for people; none outlives its test."""
    desk.guard, pids = "", []
    yield desk
    desk.guard = "off"
    for log in (desk.home, *desk.scratch.glob("*")):
        pids += [int(path.read_text()) for path in (log / "work" / "guard").glob("*.pid") if path.read_text()]
    for pid in pids:
        if alive(pid):
            os.kill(pid, signal.SIGKILL)


def guard_of(result: Result) -> tuple[int, Path]:
    """The process that the release left, and its log."""
    found = re.search(r"process (\d+) watches it, and writes to (\S+)\.", result.text)
    assert found, result.text
    return int(found[1]), Path(found[2])


def until(true: Callable[[], bool], why: Callable[[], str], within: float = 90.0) -> None:
    ends = time.monotonic() + within
    while not true():
        assert time.monotonic() < ends, why()
        time.sleep(0.2)


def alive(pid: int) -> bool:
    return state.alive(state.process("guard", pid))


def lock_holder() -> str:
    async def read() -> str:
        async with context.lock(next(iter(load.environment("production").regions.values()))) as lock:
            held = (await lock.read()).held
            return held.holder.what if held else ""

    return asyncio.run(read())


@pytest.mark.parametrize("strategy", ["rolling", "blue-green"])
def test_a_version_that_turns_out_bad_is_taken_back(
    look: Look, good: Regions, another: str, guarded: Desk, strategy: str
) -> None:
    home = guarded.variant(production={"guard": {"on_bad": "rollback"}})
    pid, log = guard_of(guarded.tidegate(*release(another, "--strategy", strategy), home=home))
    until(lambda: f"{another} is watched until" in log.read_text(), log.read_text)
    assert lock_holder() == "", "watching holds no lock"
    guarded.behave(another.removeprefix("v"), "eu-west-1", error_rate=0.3)
    until(lambda: not alive(pid), log.read_text)
    look.back_on(good)
    # The old slot is still there after blue-green: one write of the weights a region, and nothing is rolled out.
    weights = {look.weights(region) for region in good}
    upgraded = "is being upgraded" in log.read_text()
    assert (weights, upgraded) == ({(100, 0)}, strategy == "rolling"), log.read_text()
    assert "guard" in log.read_text()
    assert "recovered" in log.read_text()
    told = look.slack("incidents")[-1]
    assert f"{another} fails users in its rollback window, and was brought back." in told
    assert "ROLLBACK after" in told


def test_by_policy_it_only_pages(look: Look, good: Regions, another: str, guarded: Desk) -> None:
    pid, log = guard_of(guarded.tidegate(*release(another)))
    live = look.digests()
    until(lambda: f"{another} is watched until" in log.read_text(), log.read_text)
    guarded.behave(another.removeprefix("v"), "us-east-1", error_rate=0.3)
    until(lambda: not alive(pid), log.read_text)
    assert look.digests() == live
    assert "is still live: by policy (guard.on_bad) a person decides" in look.slack("incidents")[-1]


def test_the_next_release_ends_it(look: Look, good: Regions, another: str, guarded: Desk) -> None:
    before = look.live()["us-east-1"]["version"]
    pid, log = guard_of(guarded.tidegate(*release(another)))
    until(lambda: f"{another} is watched until" in log.read_text(), log.read_text)
    guarded.guard = "off"
    assert guarded.tidegate(*release(f"v{before}")).word == "released"
    until(lambda: not alive(pid), log.read_text)
    assert re.search(r"is no longer watched: (production v\S+ began|v\S+ went live)", log.read_text())


def test_a_region_whose_window_is_over_is_told(look: Look, good: Regions, another: str, guarded: Desk) -> None:
    guarded.guard = "off"
    assert guarded.tidegate(*release(another)).word == "released"
    first, long_ago = "production-us-east-1", "2026-01-01T00:00:00Z"
    recorded = look.kubectl("get", "httproute", "shop", "-o", f"jsonpath={{{LIVE}}}", context=first)
    patch = {"metadata": {"annotations": {"tidegate.dev/live": json.dumps({**json.loads(recorded), "at": long_ago})}}}
    look.kubectl("patch", "httproute", "shop", "--type", "merge", "-p", json.dumps(patch), context=first)
    with guarded.start("guard", "--json") as running:
        running.until(f"{another} is watched until")
        assert "us-east-1: is not watched: its window closed at 2026-01-01T00:0" in running.text
        assert "eu-west-1: is not watched" not in running.text


def test_a_region_that_turns_bad_before_the_release_is_over_takes_all_back(
    desk: Desk, look: Look, good: Regions, another: str
) -> None:
    """The second wave does not get ready, and would be waited for as long as this test may last."""
    version = another.removeprefix("v")
    patient = {"probes": {"startup": {"path": "/health", "failureThreshold": 9999}}}
    home = desk.variant(production={"rolling": {"ready_within_s": 9999}, "values": patient})
    desk.behave(version, "eu-west-1", ready_after=3600.0)
    with desk.start(*release(another), home=home) as running:
        running.until("wave: eu-west-1, ap-southeast-1")
        desk.behave(version, "us-east-1", error_rate=0.3)
        result = running.end()
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert result.reason.startswith("us-east-1: ROLLBACK after ")
    assert result.regions()["us-east-1"] == "recovered"
    assert look.digests() == good
