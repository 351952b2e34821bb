"""How long a region's API server may be away before a step gives up, by the step's own retries; nothing waits here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakeapi import FakeApi, status, write_kubeconfig
from prefect.logging import disable_run_logger
from prefect.states import Failed

from config import load
from release import records
from release.environment import Region
from release.errors import Halted, TidegateError, Unavailable
from release.model import Artifact, Record
from release.names import LIVE
from release.steps import Shift
from tasks import back, deploy, maintenance, retiring, rollback

DIGEST = "sha256:" + "1" * 64
RECORD = Record(Artifact("1.5.0", DIGEST, "a" * 40), "blue", 1, "config", "2026-11-23T05:00:00Z", "run-1")
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/shop"
EMPTY = (
    "/api/v1/namespaces/shop/secrets",
    "/apis/apps/v1/namespaces/shop/deployments",
    "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers",
)
POD = {
    "metadata": {"name": "one", "creationTimestamp": "2026-11-23T05:00:00Z", "labels": {"tidegate.dev/slot": "blue"}},
    "spec": {"containers": [{"name": "application", "image": f"registry.example/shop@{DIGEST}"}]},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


@dataclass
class Clock:
    """Seconds that passed in the waits between tries; the API server answers from `away` on."""

    now: float = 0.0
    away: float = 0.0
    tries: int = 0

    async def through(self, task: Any, *given: Any, **more: Any) -> Any:
        """The task as Prefect runs it: again while it has retries and its condition says so."""
        while True:
            self.tries += 1
            try:
                return await task.fn(*given, **more)
            except TidegateError as error:
                again = self.tries <= task.retries and await task.retry_condition_fn(task, None, Failed(data=error))
                if not again:
                    raise
                self.now += task.retry_delay_seconds[self.tries - 1]


@pytest.fixture
async def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clock]:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEGATE__KUBECONFIG", str(tmp_path / "kubeconfig"))
    api, found, app = FakeApi(tmp_path / "kubeconfig"), Clock(), web.Application()
    api.answers = {("GET", path): {"items": []} for path in EMPTY}
    api.answers["GET", "/api/v1/namespaces/shop/pods"] = {"items": [POD]}
    api.answers["GET", ROUTE] = {
        "metadata": {"annotations": {LIVE: records.to_text(RECORD)}},
        "spec": {"rules": [{"backendRefs": [{"name": "shop-blue", "weight": 100}]}]},
    }
    api.answers["PATCH", ROUTE] = {}

    async def handle(request: web.Request) -> web.StreamResponse:
        return status(503, "etcd is away") if found.now < found.away else await api.handle(request)

    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as server:
        write_kubeconfig(api.kubeconfig, str(server.make_url("")))
        with disable_run_logger():
            yield found


@pytest.fixture
def region() -> Region:
    first = next(iter(load.environment("production").regions.values()))
    return replace(first, context="here", namespace="shop")


Step = Callable[[Clock, Region], Awaitable[Any]]
STEPS: dict[str, Step] = {
    "observe": lambda clock, region: clock.through(deploy.observe, region),
    "record": lambda clock, region: clock.through(deploy.remember, region, RECORD, None, back=False),
    "digests": lambda clock, region: clock.through(deploy.require_digest, region, DIGEST, back=False),
    "forget the kept slot": lambda clock, region: clock.through(retiring.forget, region),
    "forget what was taken back": lambda clock, region: clock.through(rollback.forget_bad, region),
    "weight": lambda clock, region: clock.through(deploy.shift, region, "green", 0),
    "maintenance": lambda clock, region: clock.through(maintenance.switch, region, None),
}


@pytest.mark.parametrize("step", STEPS)
async def test_an_api_server_that_is_away_for_half_a_minute_takes_no_good_release_back(
    clock: Clock, region: Region, step: str
) -> None:
    clock.away = 30.0
    await STEPS[step](clock, region)
    assert 30 <= clock.now < 45


async def test_it_is_given_up_after_about_forty_seconds(clock: Clock, region: Region) -> None:
    clock.away = 60.0
    with pytest.raises(Unavailable):
        await clock.through(deploy.remember, region, RECORD, None, back=False)
    assert 30 < clock.now < 45


async def test_users_who_are_to_leave_do_not_wait_for_one_region(clock: Clock, region: Region) -> None:
    clock.away = 30.0
    with pytest.raises(Unavailable):
        await clock.through(back.users_back, region, lambda _: Shift("green", 0))
    assert clock.now < 5
    clock.away = 0.0
    await clock.through(back.users_back, region, lambda _: Shift("green", 0))


async def test_a_bad_release_is_never_tried_again(clock: Clock, region: Region) -> None:
    with pytest.raises(Halted):
        await clock.through(deploy.require_digest, region, "sha256:" + "2" * 64, back=False)
    assert (clock.tries, clock.now) == (1, 0)
