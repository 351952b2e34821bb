"""The lock's compare-and-swap against an API server that keeps a Lease, by two processes of one run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from fakeapi import FakeApi
from fakelease import FakeLease

from clients.lock import Lock
from release.errors import Unavailable
from release.locking import Holder, LockLost, Reacquire, Take

OLD = Holder("run-1", "ada", "production v1.4.0", process="old")
NEW = replace(OLD, process="new")


@pytest.fixture
def kept(api: FakeApi) -> FakeLease:
    return FakeLease(api, "shop", "shop")


@pytest.fixture
async def lock(api: FakeApi, kept: FakeLease) -> AsyncIterator[Lock]:
    async with Lock(api.kubeconfig, "here", "shop", "shop") as opened:
        yield opened


async def test_a_new_process_of_the_run_has_the_lock_at_once_and_the_old_one_has_it_no_more(lock: Lock) -> None:
    assert await lock.acquire(OLD, 60) == Take()
    await lock.order("run-1", "hold", "eve", "let us look")
    assert isinstance(await lock.acquire(NEW, 60), Reacquire)
    for asked in (lock.mine(OLD), lock.renew(OLD, 60), lock.note(replace(OLD, note="recovering: it is bad"))):
        with pytest.raises(LockLost, match="another process of the same run"):
            await asked
    assert await lock.release(OLD) is None
    held = await lock.mine(NEW)
    assert (held.holder, [one.what for one in held.orders]) == (NEW, ["hold"])
    assert (await lock.note(replace(NEW, note="here"))).holder.note == "here"
    assert await lock.release(NEW)


async def test_a_write_whose_answer_was_lost_is_found_done(lock: Lock, kept: FakeLease) -> None:
    kept.lost = 1
    with pytest.raises(Unavailable):
        await lock.acquire(OLD, 60)
    assert isinstance(await lock.acquire(OLD, 60), Reacquire)
    assert (await lock.mine(OLD)).holder == OLD


@pytest.mark.parametrize(("mine", "stands"), [("recovering: it fails", ""), ("", "recovering: it fails")])
async def test_a_renewal_writes_the_note_that_could_not_be_and_takes_none_away(
    lock: Lock, mine: str, stands: str
) -> None:
    told = replace(NEW, threads='{"releases": "C1/2.3"}')
    await lock.acquire(replace(told, note=stands), 60)
    held = await lock.renew(replace(NEW, note=mine), 60)
    assert held.holder == replace(told, note="recovering: it fails")
