"""The lock on a real control plane, with the rights of infrastructure/rbac only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from kubernetes.aio import client
from region import CONTEXT, TestRegion, make_region

from clients.lock import Lock
from release.errors import Refused
from release.locking import Holder, LockLost, Reacquire, Take, Wait
from sandbox.admin import Admin

pytestmark = pytest.mark.slow
ADA = Holder("run-1", "ada", "production v1.4.0", "call me first")
BOB = Holder("run-2", "bob", "hotfix v1.3.1")


@pytest.fixture
async def region(control_plane: Admin, namespace: str, tmp_path: Path) -> TestRegion:
    return await make_region(control_plane, namespace, tmp_path)


@pytest.fixture
async def lock(region: TestRegion) -> AsyncIterator[Lock]:
    async with Lock(region.kubeconfig, CONTEXT, region.namespace, "shop") as opened:
        yield opened


async def test_one_holds_it_and_the_other_hears_who(lock: Lock) -> None:
    assert (await lock.read()).held is None
    assert await lock.acquire(ADA, 60) == Take()
    told = await lock.acquire(BOB, 60)
    assert isinstance(told, Wait)
    assert told.held.holder == ADA
    assert 58 <= told.seconds <= 61
    assert isinstance(await lock.acquire(ADA, 60), Reacquire)
    assert not await lock.release(BOB)
    assert await lock.release(ADA)
    assert not await lock.release(ADA)
    assert await lock.acquire(BOB, 60) == Take()


async def test_of_many_at_once_exactly_one_gets_it(region: TestRegion) -> None:
    async def one(number: int) -> bool:
        async with Lock(region.kubeconfig, CONTEXT, region.namespace, "shop") as mine:
            return isinstance(await mine.acquire(Holder(f"run-{number}", "ada", "v1"), 60), Take)

    assert sum(await asyncio.gather(*(one(number) for number in range(8)))) == 1


async def test_a_dead_run_loses_it_when_its_lease_has_passed(lock: Lock) -> None:
    await lock.acquire(ADA, 1)
    found = await lock.acquire(BOB, 60)
    assert isinstance(found, Wait)
    await asyncio.sleep(found.seconds)
    taken = await lock.acquire(BOB, 60)
    assert isinstance(taken, Take)
    assert taken.lapsed is not None
    assert taken.lapsed.holder == ADA
    with pytest.raises(LockLost, match=r"hotfix v1\.3\.1, run run-2 holds it now"):
        await lock.renew(ADA, 60)
    [ended] = (await lock.read()).history
    assert (ended.how, ended.holder, ended.who) == ("lapsed", ADA, "bob")


async def test_renewal_keeps_it_and_its_age(lock: Lock) -> None:
    await lock.acquire(ADA, 2)
    first = (await lock.read()).held
    assert first is not None
    await asyncio.sleep(1.1)
    renewed = await lock.renew(ADA, 90)
    assert renewed.renewed > first.renewed
    assert (renewed.since, renewed.lease) == (first.since, 90)
    assert (await lock.read()).held == renewed


async def test_breaking_it_is_written_down(lock: Lock) -> None:
    assert await lock.break_lock("eve", "nobody holds it") is None
    await lock.acquire(ADA, 60)
    for who, reason in (("", "it hangs"), ("eve", " ")):
        with pytest.raises(Refused, match="a name and a reason"):
            await lock.break_lock(who, reason)
    broken = await lock.break_lock("eve", "its machine burnt")
    assert broken is not None
    assert broken.holder == ADA
    state = await lock.read()
    assert state.held is None
    [ended] = state.history
    assert (ended.how, ended.holder, ended.who, ended.reason) == ("broken", ADA, "eve", "its machine burnt")
    with pytest.raises(LockLost, match="nobody holds it now"):
        await lock.renew(ADA, 60)
    assert await lock.acquire(BOB, 60) == Take()
    assert (await lock.read()).history == (ended,)


async def test_the_holder_is_read_by_kubectls_users_too(lock: Lock, region: TestRegion) -> None:
    await lock.acquire(ADA, 60)
    async with region.admin.client() as api:
        lease = await client.CoordinationV1Api(api).read_namespaced_lease("tidegate-shop", region.namespace)
    assert lease.spec.holder_identity == "run-1"
    assert lease.metadata.annotations["tidegate.dev/who"] == "ada"
