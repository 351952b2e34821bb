"""A GitHub that keeps deployments, for tasks that are configured to tell it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from prefect.logging import disable_run_logger

from clients.github_limit import limit_of

MADE = {"environment": "e", "ref": "r", "sha": "s", "created_at": "2026-11-23T05:00:00Z"}


def _now() -> str:
    return datetime.now(UTC).isoformat()


@dataclass
class Hub:
    """A GitHub that keeps deployments, `open` those whose newest status is that they are in progress. While `limited`,
    it refuses whatever it is asked for so many seconds, and while `down`, it answers 503."""

    told: list[str] = field(default_factory=list)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    asked: int = 0
    open: set[str] = field(default_factory=set)
    limited: int = 0
    down: bool = False

    @web.middleware
    async def guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.asked += 1
        if self.limited:
            return web.json_response({"message": "Slow down."}, status=429, headers={"Retry-After": str(self.limited)})
        return web.Response(status=503) if self.down else await handler(request)

    def another_process(self) -> None:
        """One that has not heard of the limit."""
        limit_of.cache_clear()

    async def create(self, request: web.Request) -> web.Response:
        number = 8 + len(self.deployments)
        self.deployments.insert(0, {**await request.json(), "id": number, "sha": "c0ffee", "created_at": _now()})
        return web.json_response({"id": number}, status=201)

    async def listed(self, _: web.Request) -> web.Response:
        return web.json_response(self.deployments)

    async def newest(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        state = "failure" if number in self.failed else "in_progress" if number in self.open else "success"
        return web.json_response([{"state": state}])

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
