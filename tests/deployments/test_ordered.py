"""A run that a worker is asked for at the command line: kept is who asked, and whether that was proven."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fake_prefect_api import FakePrefectApi
from hooks import sqlite
from sqlalchemy import select

from clients.store import Store
from clients.tables import asked, audit
from deployments.cli import ordered
from release.people import Requester


@pytest.mark.parametrize("proven", [True, False])
async def test_one_row_says_who_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proven: bool) -> None:
    prefect = FakePrefectApi("production")
    prefect.heard = datetime.now(UTC).isoformat()

    async def answer(request: web.Request) -> web.Response:
        found = prefect.answer(httpx.Request(request.method, str(request.url), content=await request.read()))
        return web.Response(status=found.status_code, body=found.content, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    (tmp_path / "address").write_text(sqlite(tmp_path))
    monkeypatch.setenv("TIDEGATE__DATABASE__URL__FILE", str(tmp_path / "address"))
    async with TestServer(app) as server:
        monkeypatch.setenv("TIDEGATE__PREFECT__API", str(server.make_url("/api")))
        deployment = await ordered.worker_for("production")
        assert not isinstance(deployment, str), deployment
        run, note = await ordered.order(deployment, {"tag": "v1.5.0", "actor": "ada"}, Requester("ada", proven))
    assert note == ""
    async with Store(sqlite(tmp_path)) as store, store.begin() as connection:
        kept = [(row.run, row.who, row.via) for row in await connection.execute(select(asked))]
        (row,) = await connection.execute(select(audit))
    assert kept == ([(run.id, "ada", "cli")] if proven else []), "the gates believe what is kept"
    assert (row.who, row.via, row.what, row.run, row.detail) == ("ada", "cli", "ask", run.id, {"proven": proven})
