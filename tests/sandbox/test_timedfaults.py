from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from sandbox.faultproxy import FaultProxy
from sandbox.faults import Faults
from sandbox.timedfaults import TimedFaults


@pytest.fixture
async def faults() -> AsyncIterator[TimedFaults]:
    proxies = [FaultProxy("github", "127.0.0.1", 9)]
    proxies += [FaultProxy("kubernetes", "127.0.0.1", 9, region=name) for name in ("us-east-1", "eu-west-1")]
    under = Faults(proxies)
    timed = TimedFaults(under)
    yield timed
    timed.stop()
    await under.stop()


async def test_what_is_on_is_shown_with_what_remains(faults: TimedFaults) -> None:
    await faults.set("github", "500", None, None)
    await faults.set("kubernetes", "down", "eu-west-1", 60)
    shown = faults.state()
    assert [(one["name"], one["region"], one["mode"]) for one in shown] == [
        ("github", None, "500"),
        ("kubernetes", "eu-west-1", "down"),
    ]
    assert shown[0]["remaining"] is None
    assert 59 < shown[1]["remaining"] <= 60


async def test_a_fault_ends_by_itself(faults: TimedFaults) -> None:
    await faults.set("kubernetes", "down", None, 0.05)
    assert len(faults.state()) == 2
    await asyncio.sleep(0.15)
    assert faults.state() == []


async def test_a_new_fault_replaces_the_old_one_and_its_end(faults: TimedFaults) -> None:
    await faults.set("github", "down", None, 0.05)
    await faults.set("github", "500", None, None)
    await asyncio.sleep(0.15)
    assert [one["mode"] for one in faults.state()] == ["500"]


async def test_clear_ends_all(faults: TimedFaults) -> None:
    await faults.set("github", "refused", None, 60)
    await faults.set("kubernetes", "429", None, None)
    await faults.clear()
    assert faults.state() == []
