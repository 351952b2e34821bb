"""Ending a run that holds no lock: what waits ends at once, its request with it, and Prefect says who did it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hooks import sqlite

from clients.ballots import Asked, Ballots
from clients.prefect_runs import Run
from clients.store import Store
from deployments.stopping import stop
from release.errors import Refused
from release.gates_votes import Bound

RUN = "11111111-2222-3333-4444-555555555555"
BOUND = Bound("production shop", "sha256:new", "canary", ("us",), {"us": ("1.4.0", "sha256:old")})


class Prefect:
    """A server with one run."""

    def __init__(self, kind: str, name: str, deployment: str | None = "d") -> None:
        self.run: dict[str, Any] = {"id": RUN, "name": "v1.5.0 by ada", "flow_id": "f", "deployment_id": deployment}
        self.run["state"] = {"type": kind, "name": name}
        app = web.Application()
        app.router.add_post("/api/flow_runs/filter", self.filter)
        app.router.add_post("/api/flows/filter", self.flows)
        app.router.add_post(f"/api/flow_runs/{RUN}/set_state", self.set_state)
        self.server = TestServer(app)

    async def filter(self, request: web.Request) -> web.Response:
        return web.json_response([self.run] if (await request.json()).get("offset", 0) == 0 else [])

    async def flows(self, _: web.Request) -> web.Response:
        return web.json_response([{"id": "f", "name": "production"}])

    async def set_state(self, request: web.Request) -> web.Response:
        self.run["state"] = (await request.json())["state"]
        return web.json_response({"status": "ACCEPT"}, status=201)


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    (tmp_path / "address").write_text(sqlite(tmp_path))
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEGATE__DATABASE__URL__FILE", str(tmp_path / "address"))
    async with Store(sqlite(tmp_path)) as found:
        yield found


async def stopped(prefect: Prefect, monkeypatch: pytest.MonkeyPatch, beginning: str = RUN[:8]) -> Run:
    async with prefect.server:
        monkeypatch.setenv("TIDEGATE__PREFECT__API", str(prefect.server.make_url("/api")))
        return await stop(beginning, "bob", "wrong version")


@pytest.mark.parametrize(
    ("kind", "becomes"), [("SCHEDULED", "CANCELLED"), ("PAUSED", "CANCELLED"), ("RUNNING", "CANCELLING")]
)
async def test_it_ends_and_so_does_its_request(
    store: Store, monkeypatch: pytest.MonkeyPatch, kind: str, becomes: str
) -> None:
    ballots, prefect = Ballots(store), Prefect(kind, kind.capitalize())
    await ballots.open(Asked(RUN, "production v1.5.0", "production", "ada", 2, 1000.0, BOUND, "approvals"), True, 0)
    ended = await stopped(prefect, monkeypatch)
    assert (ended.id, ended.flow, ended.name) == (RUN, "production", "v1.5.0 by ada")
    assert prefect.run["state"]["type"] == becomes
    assert prefect.run["state"]["message"] == "aborted by bob: wrong version"
    assert await ballots.waiting() == ()


@pytest.mark.parametrize(
    ("prefect", "beginning", "why"),
    [
        (Prefect("COMPLETED", "Released"), RUN[:8], "has ended: Released"),
        (Prefect("RUNNING", "Running", None), RUN[:8], "at a command line"),
        (Prefect("RUNNING", "Running"), "beef", "there is no run beef"),
    ],
)
async def test_what_cannot_be_ended_here_is_said(
    store: Store, monkeypatch: pytest.MonkeyPatch, prefect: Prefect, beginning: str, why: str
) -> None:
    before = dict(prefect.run["state"])
    with pytest.raises(Refused, match=why):
        await stopped(prefect, monkeypatch, beginning)
    assert prefect.run["state"] == before
