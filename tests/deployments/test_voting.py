"""Who votes about a run that has ended is told so."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from clients.ballots import Asked
from deployments import voting
from release.errors import Refused
from release.gates_votes import Bound, Vote
from tasks.ballot import Cast

RUN = "11111111-2222-3333-4444-555555555555"
BOUND = Bound("production shop", "sha256:new", "canary", ("us",), {"us": ("1.4.0", "sha256:old")})
ASKED = Asked(RUN, "production v1.5.0", "production", "ada", 1, 1000.0, BOUND, "approvals")
CAST = Cast(ASKED, Vote("bob", "approve", "", "cli", 1010.0, BOUND), 1)


async def told(monkeypatch: pytest.MonkeyPatch, kind: str, name: str) -> str:
    run: dict[str, Any] = {"id": RUN, "name": "v1.5.0", "flow_id": "f", "state": {"type": kind, "name": name}}

    async def answer(request: web.Request) -> web.Response:
        listed: dict[str, Any] = {"/api/flow_runs/filter": [run], "/api/flows/filter": []}
        return web.json_response(listed.get(request.path, run))

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        monkeypatch.setenv("TIDEGATE__PREFECT__API", str(server.make_url("/api")))
        return voting.told(await voting.woken(CAST))


@pytest.mark.parametrize(("kind", "name"), [("FAILED", "Failed"), ("CANCELLED", "Cancelled")])
async def test_a_run_that_has_ended_is_named(monkeypatch: pytest.MonkeyPatch, kind: str, name: str) -> None:
    with pytest.raises(Refused, match=rf"its run has ended \({name}\)"):
        await told(monkeypatch, kind, name)


@pytest.mark.parametrize("kind", ["RUNNING", "CRASHED"])
async def test_one_that_runs_or_is_begun_again_finds_the_vote(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    assert "that is enough" in await told(monkeypatch, kind, kind.capitalize())
