"""What ends a release between its waves and after the last one, with its lock at an API server that answers."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import count
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
from release.errors import Failed, Halted, TidegateError
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


class Told:
    """What a release came to: the regions that were begun and a later order, as they came, and what ended it."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.error: TidegateError | None = None
        self.draft = Draft(Outcome("production", "refused", strategy="rolling"))


async def run(
    api: FakeApi,
    *orders: Order,
    heard_in: str = "",
    later: Order | None = None,
    holder: Holder = ME,
    last: float | None = None,
) -> Told:
    """Release two waves while `orders` stand on the lock, of which the run hears in the region `heard_in`, and of
    `later` a while after that.

    With `last` the regions that are done are guarded, and the last one takes so many seconds, unless it is stopped.
    """
    name = names.lock(load.settings().application.name)
    held = Held(holder, 1000.0, time.time(), 60.0, orders)
    path = f"/apis/coordination.k8s.io/v1/namespaces/shop/leases/{name}"
    api.answers[("GET", path)] = lease.manifest(name, State(held, (), "7", time.time()))
    environment = load.environment("production")
    here = replace(next(iter(environment.regions.values())), context="here", namespace="shop")
    regions = {region: replace(here, name=region) for region in ("us", "eu", "ap")}
    judged = replace(environment.judged, poll=0.05)
    environment = replace(environment, regions=regions, judged=judged)
    app, told = web.Application(), Told()
    hearing: list[asyncio.Task[None]] = []
    app.router.add_route("*", "/{path:.*}", api.handle)
    async with TestServer(app) as server:
        write_kubeconfig(api.kubeconfig, str(server.make_url("")))
        with stop.stopping() as sign, disable_run_logger():

            async def hear(order: Order) -> None:
                await asyncio.sleep(A_WHILE_S)
                told.begun.append(order.what)
                sign.steering = steering((*orders, order))

            async def each(region: str, *_: object) -> RegionResult:
                told.begun.append(region)
                if region == heard_in:
                    sign.steering = steering(orders)
                    hearing.extend([asyncio.create_task(hear(later))] if later else [])
                if region == "ap" and last is not None:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(sign.event.wait(), last)
                    stop.check(region)
                return RegionResult(region, "released", "1.5.0")

            grip, want = Grip(environment, ME, sign), Want(ARTIFACT, "config", environment.rolling, replicas=10)
            try:
                await forward(told.draft, grip, WAVES, want, api.kubeconfig.parent, each, guarded=last is not None)
            except TidegateError as error:
                told.error = error
            for one in hearing:
                one.cancel()
    return told


@asynccontextmanager
async def gateway(monkeypatch: pytest.MonkeyPatch, bad: str = "", status: int = 200) -> AsyncIterator[None]:
    """A gateway's counters, ten seconds and a thousand requests further at every reading; in the region `bad` half of
    those fail."""
    readings = defaultdict(lambda: count(1))

    async def answer(request: web.Request) -> web.Response:
        region = request.match_info["region"]
        requests = 1000 * (number := next(readings[region]))
        errors = requests // 2 if region == bad else 0
        series = 'traefik_router_requests_total{router="httproute-shop-shop-gw-a-ep-web-0",code="%d"} %d %d'
        lines = [series % (200, requests - errors, 10_000 * number), series % (500, errors, 10_000 * number)]
        return web.Response(status=status, text="\n".join(lines) + "\n")

    app = web.Application()
    app.router.add_get("/{region}/metrics", answer)
    async with TestServer(app) as server:
        monkeypatch.setenv("TIDEGATE__MONITORING__METRICS", f"{server.make_url('/')}{{region}}/metrics")
        yield


async def test_all_waves_in_order(api: FakeApi) -> None:
    told = await run(api)
    assert (told.begun, told.error) == (["us", "eu", "ap"], None)


async def test_an_abort_between_waves_begins_no_other(api: FakeApi) -> None:
    told = await run(api, ABORT, heard_in="us")
    assert (told.begun, type(told.error)) == (["us"], stop.Aborted)


@pytest.mark.parametrize("later", [RESUME, PROMOTE], ids=["resume", "promote"])
async def test_a_hold_between_waves_begins_no_other_until_it_is_ended(api: FakeApi, later: Order) -> None:
    told = await run(api, HOLD, heard_in="us", later=later)
    assert told.begun == ["us", later.what, "eu", "ap"]


async def test_an_abort_ends_a_hold_between_waves(api: FakeApi) -> None:
    told = await run(api, HOLD, heard_in="us", later=ABORT)
    assert (told.begun, type(told.error)) == (["us", "abort"], stop.Aborted)


@pytest.mark.parametrize("order", [RESUME, PROMOTE], ids=["resume", "promote"])
async def test_what_holds_nothing_up_skips_nothing_between_waves(api: FakeApi, order: Order) -> None:
    assert (await run(api, order, heard_in="us")).begun == ["us", "eu", "ap"]


async def test_an_abort_that_was_not_heard_of_yet_counts_after_the_last_wave(api: FakeApi) -> None:
    told = await run(api, ABORT)
    assert (told.begun, type(told.error)) == (["us", "eu", "ap"], stop.Aborted)


async def test_a_lock_that_is_lost_at_the_end_halts(api: FakeApi) -> None:
    told = await run(api, holder=replace(ME, run="run-2"))
    assert (told.begun, type(told.error)) == (["us", "eu", "ap"], Halted)


@pytest.mark.parametrize("bad", ["us", "eu"])
async def test_a_region_that_turns_bad_while_others_are_released_ends_the_release(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    """Of an earlier wave or of the same one; it has failed, whatever it was before."""
    async with gateway(monkeypatch, bad):
        told = await run(api, last=60)
    assert isinstance(told.error, Failed) and told.error.condemns
    assert (told.error.region, told.error.what[:14]) == (bad, "ROLLBACK after")
    assert bad not in {one.region for one in told.draft.outcome.regions}


@pytest.mark.parametrize("status", [200, 500])
async def test_good_regions_and_metrics_that_are_away_end_nothing(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async with gateway(monkeypatch, bad="us" if status != 200 else "", status=status):
        told = await run(api, last=1)
    assert told.error is None
    assert [one.region for one in told.draft.outcome.regions] == ["us", "eu", "ap"]


async def test_without_an_address_for_metrics_a_release_goes_on(api: FakeApi) -> None:
    assert (await run(api, last=0.2)).error is None
