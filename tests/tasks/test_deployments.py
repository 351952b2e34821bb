"""A GitHub deployment never stays in progress, however its run ends, nor a success once it was taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from prefect.logging import disable_run_logger

from flows.region import ended_if_broken_off
from release.errors import Failed
from tasks import github_deployments
from tasks.github_deployments import Begun

BEGUN = Begun("c0ffee", "production-us-east-1", "v1.4.0", {"run": "r"}, 7)


@dataclass
class Hub:
    """A GitHub that keeps deployments; while `limited`, it refuses whatever it is asked for a second, and while `down`,
    it answers 503."""

    told: list[str] = field(default_factory=list)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    asked: int = 0
    limited: bool = False
    down: bool = False

    @web.middleware
    async def guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.asked += 1
        if self.limited:
            return web.json_response({"message": "Slow down."}, status=429, headers={"Retry-After": "1"})
        return web.Response(status=503) if self.down else await handler(request)

    async def create(self, request: web.Request) -> web.Response:
        number = 8 + len(self.deployments)
        self.deployments.append({**await request.json(), "id": number, "sha": "c0ffee"})
        return web.json_response({"id": number}, status=201)

    async def listed(self, _: web.Request) -> web.Response:
        return web.json_response(self.deployments)

    async def newest(self, request: web.Request) -> web.Response:
        return web.json_response([{"state": "failure" if request.match_info["number"] in self.failed else "success"}])

    async def status(self, request: web.Request) -> web.Response:
        body, number = await request.json(), request.match_info["number"]
        self.told.append(body["state"] if number == "7" else f"{number} {body['state']}")
        return web.json_response({"id": 1, "state": body["state"]}, status=201)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.guard])
        app.router.add_get("/{path:.*}/deployments", self.listed)
        app.router.add_post("/{path:.*}/deployments", self.create)
        app.router.add_post("/{path:.*}/deployments/{number}/statuses", self.status)
        app.router.add_get("/{path:.*}/deployments/{number}/statuses", self.newest)
        return app


@pytest.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    hub = Hub()
    async with TestServer(hub.app()) as server:
        monkeypatch.setenv("T0KEN", "t0ken")
        (tmp_path / "overlay").mkdir()
        github = {"url": str(server.make_url("")), "token": {"env": "T0KEN"}}
        (tmp_path / "overlay" / "tidegate.yaml").write_text(yaml.safe_dump({"github": github}))
        monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
        with disable_run_logger():
            yield hub


@pytest.fixture
def states(hub: Hub) -> list[str]:
    """The statuses that GitHub was told of deployment 7, in their order."""
    return hub.told


async def test_of_a_run_that_is_cancelled_it_ends_with_error(states: list[str]) -> None:
    inside = asyncio.Event()

    async def region() -> None:
        async with ended_if_broken_off(BEGUN, "http://shop.test"):
            inside.set()
            await asyncio.sleep(60)

    running = asyncio.create_task(region())
    await inside.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert states == ["error"]


async def test_of_a_mistake_of_ours_too_but_an_error_for_a_person_is_told_elsewhere(states: list[str]) -> None:
    with pytest.raises(KeyError):
        async with ended_if_broken_off(BEGUN, "http://shop.test"):
            raise KeyError("ours")
    assert states == ["error"]
    with pytest.raises(Failed):
        async with ended_if_broken_off(BEGUN, "http://shop.test"):
            raise Failed("it crashes", region="us-east-1")
    assert states == ["error"]


async def test_what_a_rate_limit_kept_from_github_is_told_at_the_end_in_its_order(hub: Hub) -> None:
    github_deployments.begin()
    begun = await github_deployments.start.fn("c0ffee", "production-eu", "v1.5.0", {"version": "1.5.0"})
    hub.limited = True
    await github_deployments.finish.fn(begun, "failure", "it crashes", "http://shop.test")
    asked = hub.asked
    # Its limit is known, and a region that goes back waits for nobody.
    back = await github_deployments.start.fn("c0ffee", "production-eu", "back", {"version": "1.4.0"})
    await github_deployments.finish.fn(back, "success", "back on v1.4.0", "http://shop.test")
    assert (hub.told, hub.asked) == (["8 in_progress"], asked)
    hub.limited = False
    await github_deployments.tell_again()
    assert hub.told == ["8 in_progress", "8 failure", "9 success"]
    await github_deployments.tell_again()
    assert len(hub.told) == 3


async def test_a_deployment_whose_beginning_was_kept_is_made_once(hub: Hub) -> None:
    github_deployments.begin()
    hub.deployments.append({"id": 8, "environment": "e", "ref": "r", "sha": "s", "payload": {"version": "1.4.0"}})
    begun = Begun("c0ffee", "production-eu", "v1.4.0", {"version": "1.4.0"})
    other = Begun("c0ffee", "production-us", "v1.5.0", {"version": "1.5.0"})
    for one in (begun, other):
        await github_deployments.finish.fn(one, "success", "live", "http://shop.test")
    assert (hub.told, len(hub.deployments)) == (["8 success", "9 success"], 2)


async def test_a_newer_deployment_is_not_told_before_an_older_one(hub: Hub) -> None:
    github_deployments.begin()
    begun = await github_deployments.start.fn("c0ffee", "production-eu", "v1.5.0", {"version": "1.5.0"})
    hub.down = True
    await github_deployments.finish.fn(begun, "failure", "it crashes", "http://shop.test")
    hub.down = False
    back = await github_deployments.start.fn("c0ffee", "production-eu", "back", {"version": "1.4.0"})
    await github_deployments.finish.fn(back, "success", "back on v1.4.0", "http://shop.test")
    assert hub.told == ["8 in_progress", "8 failure", "9 success"]


async def test_what_had_gone_live_of_a_version_that_was_taken_back_is_inactive(hub: Hub) -> None:
    where = ("c0ffee", "production-us-east-1")
    for number, digest in ((7, "bad"), (8, "good"), (9, "bad")):
        payload = {"run": f"run-{number}", "digest": f"sha256:{digest}"}
        hub.deployments.append({"id": number, "environment": where[1], "ref": where[0], "sha": "s", "payload": payload})
    hub.failed.add("9")
    await github_deployments.retire.fn(*where, "sha256:bad", "taken back: back on v1.4.0")
    assert hub.told == ["inactive"]
    await github_deployments.retire.fn(*where, "sha256:other", "taken back: back on v1.4.0")
    assert hub.told == ["inactive"]
