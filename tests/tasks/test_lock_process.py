"""Two living processes of one run: the one that comes second has the lock, the first hears it and stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakeapi import FakeApi, write_kubeconfig
from fakelease import FakeLease
from prefect.logging import disable_run_logger

from config import load
from release.environment import Environment
from release.errors import Halted
from release.locking import Holder, LockLost
from tasks import lock, stop
from tasks.lock import Grip, Won
from tasks.stop import Stop


@pytest.fixture
async def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Environment]:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEGATE__KUBECONFIG", str(tmp_path / "kubeconfig"))
    api = FakeApi(tmp_path / "kubeconfig")
    FakeLease(api, "shop", load.settings().application.name)
    found = load.environment("production")
    region = next(iter(found.regions.values()))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    async with TestServer(app) as server:
        write_kubeconfig(api.kubeconfig, str(server.make_url("")))
        yield replace(found, regions={"us": replace(region, context="here", namespace="shop")})


async def test_a_living_process_stops_before_the_one_that_took_its_lock_begins(environment: Environment) -> None:
    old = Holder("run-1", "ada", "production v1.5.0", process="old")
    new = replace(old, process="new")
    with disable_run_logger():
        won = await lock.take.fn(environment, old)
        assert won == Won(None)
        with stop.stopping() as sign:
            renewing = asyncio.create_task(lock.renew(Grip(environment, old, sign)))
            won = await lock.take.fn(environment, new)
            assert isinstance(won, Won)
            assert 0 < won.acts < 5
            with stop.stopping() as another:
                await lock.alone(won, another)
            with pytest.raises(Halted, match="another process of the same run"):
                stop.check_lock()
            await renewing
        with pytest.raises(LockLost):
            await lock.note.fn(environment, replace(old, note="recovering: it is bad"))
        await lock.give_back.fn(environment, old)
        sign = Stop()
        await Grip(environment, new, sign).look()
    assert not sign.event.is_set()


async def test_who_loses_the_lock_while_it_waits_does_not_begin(environment: Environment) -> None:
    with stop.stopping() as sign, disable_run_logger():
        sign.now("it was taken away", lost_lock=True)
        with pytest.raises(Halted, match="taken away"):
            await lock.alone(Won(None, 60), sign)
