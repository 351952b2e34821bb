"""`/metrics` from Prefect's records (at the transport) and a real PostgreSQL: nothing is lost, nothing goes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fake_prefect import FLOWS, FakePrefect
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, delete, event

from clients.prefect_records import Records
from clients.releases import Releases
from clients.store import Store
from clients.tables import caught_up, finished_regions, finished_releases
from config import load
from deployments.metrics.service import MetricsService
from deployments.postgres import Postgres
from release.outcome import Outcome, RegionResult

pytestmark = pytest.mark.asyncio(loop_scope="module")
NOW = datetime.now(UTC)
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")
Samples = dict[tuple[str, ...], float]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    folder = tmp_path_factory.mktemp("postgres")
    server = Postgres(folder, folder / "log")
    await server.start()
    yield server.url
    await server.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def store(address: str) -> AsyncIterator[Store]:
    """Empty tables."""
    async with Store(address) as found:
        async with found.begin() as connection:
            for table in (finished_releases, finished_regions, caught_up):
                await connection.execute(delete(table))
        yield found


class Service:
    """The service on its table, without its background work: each test says when it looks."""

    def __init__(self, metrics: MetricsService, http: httpx.AsyncClient) -> None:
        self.metrics, self._http = metrics, http

    async def scrape(self) -> dict[str, Samples]:
        """Metric -> label values, in the order of the labels' names -> number."""
        answer = await self._http.get("/metrics")
        assert answer.status_code == 200, answer.text
        found: dict[str, Samples] = {}
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                labels = tuple(value for _, value in sorted(sample.labels.items()))
                found.setdefault(sample.name, {})[labels] = sample.value
        return found

    async def status(self) -> int:
        return (await self._http.get("/metrics")).status_code


@asynccontextmanager
async def serving(prefect: FakePrefect, store: Store) -> AsyncIterator[Service]:
    async with Records("http://prefect/api", transport=prefect.transport) as runs:
        table = Releases(store)
        metrics = MetricsService(runs, table, [load.environment(name) for name in load.ENVIRONMENTS])
        metrics.started()
        app = FastAPI()
        app.include_router(metrics.router)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as http:
            yield Service(metrics, http)


def outcome(word: str = "released", **facts: Any) -> dict[str, Any]:
    results = tuple(RegionResult(region, word, share=10) for region in REGIONS)  # type: ignore[arg-type]
    given = {"strategy": "canary", "regions": results, "locked": 90.0, **facts}
    return Outcome("production", word, "1.4.0", **given).as_dict()  # type: ignore[arg-type]


async def test_every_run_is_counted_once_over_pages_and_restarts(store: Store) -> None:
    prefect = FakePrefect()
    for number in range(450):
        prefect.ended(f"r{number}", NOW - timedelta(hours=450 - number), outcome())
    async with serving(prefect, store) as service:
        await service.metrics.refresh()
        first = await service.scrape()
        assert set(first["deployments_total"].values()) >= {450.0, 0.0}
        assert prefect.asked.count("artifacts/filter") == 3
    prefect.ended("newer", NOW, outcome("recovered", recovery=4.0))
    prefect.asked.clear()
    async with serving(prefect, store) as service:
        await service.metrics.refresh()
        found = await service.scrape()
    labels = ("production", "production", "us-east-1", "canary")
    assert found["deployments_total"][labels] == 451
    assert found["deployments_failed_total"][labels] == 1
    assert found["deployment_recovery_time_seconds"][labels] == 4.0
    assert found["tidegate_incidents_prevented_total"]["production", "canary"] == 1
    assert found["deployment_finished_duration_seconds_count"][labels] == 451
    # The second time it read one page, not all of them.
    assert prefect.asked.count("artifacts/filter") == 1


async def test_deleted_runs_make_no_counter_go_back(store: Store) -> None:
    prefect = FakePrefect()
    prefect.ended("r1", NOW - timedelta(hours=1), outcome())
    async with serving(prefect, store) as service:
        await service.metrics.refresh()
        before = await service.scrape()
        prefect.runs.clear()
        await service.metrics.refresh()
        after = await service.scrape()
    assert before["deployments_total"] == after["deployments_total"]
    assert sum(after["deployments_total"].values()) == 3


async def test_a_catch_up_that_was_cut_short_is_done_again(store: Store) -> None:
    prefect = FakePrefect()
    for number in range(250):
        prefect.ended(f"r{number}", NOW - timedelta(hours=250 - number), outcome())
    labels = ("production", "production", "us-east-1", "canary")
    async with serving(prefect, store) as service:
        prefect.answers = 4
        await service.metrics.refresh()
        # Half of what is past would look like a jump: nothing is told until it was read to its end once.
        assert await service.status() == 503
        prefect.answers = None
        await service.metrics.refresh()
        assert (await service.scrape())["deployments_total"][labels] == 250


async def test_a_run_that_goes_on_after_a_crash_is_counted_at_its_end(store: Store) -> None:
    prefect, now = FakePrefect(), datetime.now(UTC)
    child = {"parent": "r1", "flow_id": FLOWS["region"], "parameters": {"region": "us-east-1", "strategy": "canary"}}
    prefect.ended("c1", now, None, **child)
    prefect.ended("r1", now, None)
    labels = ("production", "production", "us-east-1", "canary")
    async with serving(prefect, store) as service:
        await service.metrics.refresh()
        assert (await service.scrape())["deployments_total"][labels] == 0
        prefect.runs.pop()
        prefect.ended("r1", now, outcome(), run_count=2)
        await service.metrics.refresh()
        found = await service.scrape()
        assert (found["deployments_total"][labels], found["deployments_failed_total"][labels]) == (1, 0)


async def test_a_run_that_crashed_and_stays_so_is_counted(store: Store) -> None:
    prefect, past = FakePrefect(), datetime.now(UTC) - timedelta(minutes=2)
    back = {"parent": "r1", "flow_id": FLOWS["recover"], "parameters": {"regions": ["us-east-1"]}}
    prefect.ended("c1", past, None, **back)
    prefect.ended("r1", past, None, flow_id=FLOWS["rollback"])
    labels = ("production", "rollback", "us-east-1", "rollback")
    async with serving(prefect, store) as service:
        await service.metrics.refresh()
        assert (await service.scrape())["deployments_failed_total"][labels] == 1


async def test_without_deployments_there_are_zeros_and_no_measures(store: Store) -> None:
    async with serving(FakePrefect(), store) as service:
        await service.metrics.refresh()
        found = await service.scrape()
    assert set(found["deployments_total"].values()) == {0.0}
    assert ("production", "production", "us-east-1", "blue-green") in found["deployments_failed_total"]
    assert found["dora_deployment_frequency_per_day"] == {("7d",): 0.0, ("30d",): 0.0}
    assert "dora_change_fail_ratio" not in found
    assert "deployment_duration_seconds" not in found
    assert found["tidegate_source_up"]["prefect",] == 1.0
    # No cluster answers here, and that is said.
    assert found["tidegate_source_up"]["cluster/production",] == 0.0


async def test_a_prefect_that_is_away_loses_nothing_and_is_said(store: Store) -> None:
    prefect = FakePrefect()
    prefect.ended("r1", NOW - timedelta(hours=1), outcome())
    async with serving(prefect, store) as service:
        await service.metrics.refresh()
        prefect.up = False
        await service.metrics.refresh()
        found = await service.scrape()
    assert sum(found["deployments_total"].values()) == 3
    assert found["tidegate_source_up"]["prefect",] == 0.0
    assert found["tidegate_records_age_seconds"][()] >= 0


async def test_approvals_that_wait_are_counted(store: Store) -> None:
    prefect = FakePrefect()
    since = {"timestamp": (NOW - timedelta(minutes=5)).isoformat()}
    prefect.ended("w1", NOW, None, state_name="AwaitingApproval", state=since, end_time=None)
    async with serving(prefect, store) as service:
        await service.metrics.refresh()
        found = await service.scrape()
    assert found["tidegate_approvals_waiting"]["production",] == 1
    assert found["tidegate_approval_wait_seconds"]["production",] >= 300


async def test_a_database_that_is_away_is_an_error_not_a_number() -> None:
    away = Store("postgresql://postgres@/postgres?host=/nowhere")
    async with Records("http://prefect/api", transport=FakePrefect().transport) as runs:
        metrics = MetricsService(runs, Releases(away), [])
        metrics.started()
        assert (await metrics.answer()).status_code == 503
    await away.close()


async def test_a_scrape_folds_nothing_that_a_look_can_fold_before(store: Store) -> None:
    """How long a scrape of 10,000 releases takes is `make bench-scrape`'s to say."""
    prefect, asked = FakePrefect(), []
    prefect.ended("r1", NOW - timedelta(hours=1), outcome())

    def note(*given: Any) -> None:
        asked.append(given[2])

    async with serving(prefect, store) as service:
        await service.metrics.refresh()
        await service.scrape()
        prefect.ended("r2", NOW, outcome())
        await service.metrics.refresh()
        event.listen(Engine, "before_cursor_execute", note)
        try:
            found = await service.scrape()
        finally:
            event.remove(Engine, "before_cursor_execute", note)
    assert max(found["deployments_total"].values()) == 2
    assert len(asked) == 1, "it only asks whether anything was added"
