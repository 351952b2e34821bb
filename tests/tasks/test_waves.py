"""What ends a release between its waves and after the last one, with its lock at an API server that answers."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakeapi import FakeApi, write_kubeconfig
from prefect.logging import disable_run_logger

from clients import lease
from clients.lease import State
from config import load
from flows.conclude import Draft
from flows.waves import forward
from release import names
from release.errors import TidegateError
from release.locking import Held, Holder
from release.model import Artifact
from release.outcome import Outcome, RegionResult
from release.steering import Order, steering
from release.strategy import Want
from tasks import stop
from tasks.lock import Grip

ME = Holder("run-1", "ada", "production v1.5.0")
ABORT = Order("abort", "eve", "wrong version", 1000.0)
HOLD, RESUME, PROMOTE = (Order(what, "eve", "", 1000.0) for what in ("hold", "resume", "promote"))
# Longer than a wave needs that nothing holds.
A_WHILE_S = 0.6
ARTIFACT = Artifact("1.5.0", "sha256:" + "1" * 64, "a" * 40)
WAVES = (("us",), ("eu", "ap"))


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEGATE__KUBECONFIG", str(tmp_path / "kubeconfig"))
    return FakeApi(tmp_path / "kubeconfig")


async def run(
    api: FakeApi, *orders: Order, heard_in: str = "", later: Order | None = None, holder: Holder = ME
) -> list[str]:
    """Release two waves while `orders` stand on the lock, of which the run hears in the region `heard_in`, and of
    `later` a while after that. In their order: the regions that were begun, that later order, and the error that ended
    it, where one did."""
    name = names.lock(load.settings().application.name)
    held = Held(holder, 1000.0, time.time(), 60.0, orders)
    path = f"/apis/coordination.k8s.io/v1/namespaces/shop/leases/{name}"
    api.answers[("GET", path)] = lease.manifest(name, State(held, (), "7", time.time()))
    environment = load.environment("production")
    region = next(iter(environment.regions.values()))
    environment = replace(environment, regions={"us": replace(region, context="here", namespace="shop")})
    app = web.Application()
    begun: list[str] = []
    hearing: list[asyncio.Task[None]] = []
    app.router.add_route("*", "/{path:.*}", api.handle)
    async with TestServer(app) as server:
        write_kubeconfig(api.kubeconfig, str(server.make_url("")))
        with stop.stopping() as sign, disable_run_logger():

            async def hear(order: Order) -> None:
                await asyncio.sleep(A_WHILE_S)
                begun.append(order.what)
                sign.steering = steering((*orders, order))

            async def each(region: str, *_: object) -> RegionResult:
                begun.append(region)
                if region == heard_in:
                    sign.steering = steering(orders)
                    hearing.extend([asyncio.create_task(hear(later))] if later else [])
                return RegionResult(region, "released", "1.5.0")

            draft = Draft(Outcome("production", "refused", strategy="rolling"))
            want = Want(ARTIFACT, "config", environment.rolling, replicas=10)
            try:
                await forward(draft, Grip(environment, ME, sign), WAVES, want, api.kubeconfig.parent, each)
            except TidegateError as error:
                begun.append(type(error).__name__)
            for one in hearing:
                one.cancel()
    return begun


async def test_all_waves_in_order(api: FakeApi) -> None:
    assert await run(api) == ["us", "eu", "ap"]


async def test_an_abort_between_waves_begins_no_other(api: FakeApi) -> None:
    assert await run(api, ABORT, heard_in="us") == ["us", "Aborted"]


@pytest.mark.parametrize("later", [RESUME, PROMOTE], ids=["resume", "promote"])
async def test_a_hold_between_waves_begins_no_other_until_it_is_ended(api: FakeApi, later: Order) -> None:
    assert await run(api, HOLD, heard_in="us", later=later) == ["us", later.what, "eu", "ap"]


async def test_an_abort_ends_a_hold_between_waves(api: FakeApi) -> None:
    assert await run(api, HOLD, heard_in="us", later=ABORT) == ["us", "abort", "Aborted"]


@pytest.mark.parametrize("order", [RESUME, PROMOTE], ids=["resume", "promote"])
async def test_what_holds_nothing_up_skips_nothing_between_waves(api: FakeApi, order: Order) -> None:
    assert await run(api, order, heard_in="us") == ["us", "eu", "ap"]


async def test_an_abort_that_was_not_heard_of_yet_counts_after_the_last_wave(api: FakeApi) -> None:
    assert await run(api, ABORT) == ["us", "eu", "ap", "Aborted"]


async def test_a_lock_that_is_lost_at_the_end_halts(api: FakeApi) -> None:
    assert await run(api, holder=replace(ME, run="run-2")) == ["us", "eu", "ap", "Halted"]
