"""The users' way back is the last write of a release that is stopped, whatever was under way just then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakeapi import FakeApi, status, write_kubeconfig
from prefect.logging import disable_run_logger

from config import load
from release import shifts
from release.environment import Region
from release.errors import Halted, Unavailable
from release.model import Artifact
from release.steps import Shift
from release.strategy import Want
from tasks import back, deploy, stop

ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/shop"
LISTS = (
    "/api/v1/namespaces/shop/pods",
    "/api/v1/namespaces/shop/secrets",
    "/apis/apps/v1/namespaces/shop/deployments",
    "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers",
)


@dataclass
class Users:
    """Green's weights in the order in which they are applied: the first write not before `free`. `failing` fail."""

    weights: list[int] = field(default_factory=list)
    coming: asyncio.Event = field(default_factory=asyncio.Event)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    failing: int = 0

    async def write(self, request: web.Request) -> web.Response:
        weight = (await request.json())[3]["value"]
        if self.failing:
            self.failing -= 1
            return status(503, "etcd is away")
        if not self.coming.is_set():
            self.coming.set()
            await self.free.wait()
        self.weights.append(weight)
        return web.json_response({})


@pytest.fixture
async def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Users]:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEGATE__KUBECONFIG", str(tmp_path / "kubeconfig"))
    api, found, app = FakeApi(tmp_path / "kubeconfig"), Users(), web.Application()
    api.answers = {("GET", path): {"items": []} for path in LISTS}
    api.answers[("GET", ROUTE)] = {"metadata": {}, "spec": {}}
    api.answers[("PATCH", ROUTE)] = found.write
    app.router.add_route("*", "/{path:.*}", api.handle)
    async with TestServer(app) as server:
        write_kubeconfig(api.kubeconfig, str(server.make_url("")))
        with disable_run_logger():
            yield found


@pytest.fixture
def sign() -> Iterator[stop.Stop]:
    with stop.stopping() as found:
        yield found


@pytest.fixture
def region() -> Region:
    first = next(iter(load.environment("production").regions.values()))
    return replace(first, context="here", namespace="shop")


async def test_a_move_under_way_does_not_end_after_the_way_back(users: Users, sign: stop.Stop, region: Region) -> None:
    forward = asyncio.create_task(deploy.shift.fn(region, "green", 25))
    await users.coming.wait()
    sign.now("another region failed")
    going = asyncio.create_task(back.users_back.fn(region, lambda _: Shift("green", 0)))
    await asyncio.wait({going}, timeout=0.5)
    users.free.set()
    await asyncio.gather(forward, going)
    assert users.weights == [25, 0]


async def test_a_stopped_release_moves_nobody_forward(users: Users, sign: stop.Stop, region: Region) -> None:
    users.free.set()
    sign.now("another region failed")
    with pytest.raises(stop.Stopped, match="another region failed"):
        await deploy.shift.fn(region, "green", 25)
    await deploy.shift.fn(region, "green", 0, back=True)
    assert users.weights == [0]


async def test_a_stopped_release_upgrades_nothing(sign: stop.Stop, region: Region) -> None:
    sign.now("another region failed")
    want = Want(Artifact("1.5.0", "sha256:" + "1" * 64, "a" * 40), "config", load.environment("production").rolling, 10)
    with pytest.raises(stop.Stopped, match="another region failed"):
        await deploy.upgrade.fn(region, "blue", want, Path("chart"), {}, "v1.5.0", force=False)


@pytest.mark.parametrize(("back", "says"), [(True, "after going back, Ready"), (False, "once it was live, Ready")])
async def test_other_pods_at_the_end_halt_by_the_way_taken(users: Users, region: Region, back: bool, says: str) -> None:
    with pytest.raises(Halted, match=says):
        await deploy.require_digest.fn(region, "sha256:" + "1" * 64, back=back)


async def test_a_move_that_failed_is_not_tried_again_once_the_release_is_stopped(
    users: Users, sign: stop.Stop, region: Region
) -> None:
    users.free.set()
    users.failing = 1
    with pytest.raises(Unavailable):
        await deploy.shift.fn(region, "green", 25)
    sign.now("another region failed")
    with pytest.raises(stop.Stopped):
        await deploy.shift.fn(region, "green", 25)
    assert users.weights == []


def test_a_weight_is_known_by_its_steps_name() -> None:
    """The board reads there when a canary got which weight."""
    region = next(iter(load.environment("production").regions.values()))
    named = str(deploy.shift.task_run_name).format(region=region, slot="green", weight=25)
    assert shifts.of_step(named, 7.0) == shifts.Shift(region.name, "green", 25, 7.0)
