"""The report, read from a table of finished releases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fake_prefect import FakePrefect

from clients.releases import Releases
from clients.store import Store
from release import dora_report
from release.finished import Finished, FinishedRegion
from release.outcome import Outcome
from tasks.report import measured, up_to_date


async def test_this_period_is_told_beside_the_one_before(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    async with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        table = Releases(store)
        await table.add([past(now, 1), past(now, 9), past(now, 10, "recovered", recovery=30.0), past(now, 40)])
        found = await measured(table, 7)
    assert (found.now.deployments, found.before.deployments) == (1, 2)
    assert (found.now.fail_rate, found.before.fail_rate, found.before.recovery_time) == (0.0, 0.5, 30.0)
    assert ("Change fail rate", "0%", "50%") in dora_report.rows(found)
    assert found.until - found.since == timedelta(days=7)


async def test_what_nobody_has_read_yet_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefect, app = FakePrefect(), web.Application()
    prefect.ended("r1", datetime.now(UTC), Outcome("production", "released", "1.4.0").as_dict())

    async def answer(request: web.Request) -> web.Response:
        asked = httpx.Request("POST", str(request.url), content=await request.read())
        return web.json_response(prefect.transport.handle_request(asked).json())

    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app) as server:
        monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
        monkeypatch.setenv("TIDEGATE__PREFECT__API", str(server.make_url("/api")))
        monkeypatch.setenv("TIDEGATE__DATABASE__URL__ENV", "WHERE")
        monkeypatch.setenv("WHERE", f"sqlite:///{tmp_path / 'store.db'}")
        found = await up_to_date(7)
    assert found.now.deployments == 1


async def test_a_killed_run_counts_where_it_had_begun_in_a_region(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    killed, earlier = past(now, 2, "crashed"), replace(past(now, 3, "crashed"), regions=())
    async with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        table = Releases(store)
        await table.add([killed, earlier, past(now, 1)])
        found = await measured(table, 7)
    assert (found.now.deployments, found.now.failed) == (2, 1)
    assert found.now.recovery_time == 86400.0, "until the next good release"


def past(now: datetime, days: int, outcome: str = "released", recovery: float = 0.0) -> Finished:
    ended = now - timedelta(days=days)
    return Finished(
        f"run-{days}",
        1,
        "production",
        "production",
        "canary",
        outcome,
        ended,
        ended,
        recovery=recovery,
        regions=(FinishedRegion("us-east-1", "success", outcome),),
    )
