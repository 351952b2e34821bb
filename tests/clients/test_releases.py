"""The table of finished releases, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import delete, event
from sqlalchemy.engine import Engine

from clients.releases import Releases
from clients.store import Store
from clients.tables import caught_up, finished_regions, finished_releases
from deployments.postgres import Postgres
from release.finished import Finished, FinishedRegion

pytestmark = pytest.mark.asyncio(loop_scope="module")
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
REGIONS = ("us-east-1", "eu-west-1")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A PostgreSQL of this module's own."""
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


@pytest_asyncio.fixture(loop_scope="module")
async def table(store: Store) -> Releases:
    return Releases(store)


def release(number: int, outcome: str = "released", **facts: Any) -> Finished:
    result = "success" if outcome == "released" else "failure"
    given: dict[str, Any] = {
        "run": f"run-{number}",
        "attempt": 1,
        "pipeline": "production",
        "environment": "production",
        "strategy": "canary",
        "outcome": outcome,
        "asked": START + timedelta(hours=number),
        "ended": START + timedelta(hours=number, minutes=10),
        "seconds": 300.0,
        "regions": tuple(FinishedRegion(region, result, outcome) for region in REGIONS),
    }
    return Finished(**{**given, **facts})


async def test_a_release_is_kept_once_and_stays_as_it_was_told(table: Releases) -> None:
    assert await table.add([release(1), release(2)]) == 2
    assert await table.add([release(1, "recovered"), release(3)]) == 1
    totals = {total.labels: total for total in (await table.table()).totals}
    assert set(totals) == {("production", region, "canary", "production") for region in REGIONS}
    assert {(total.success, total.failed) for total in totals.values()} == {(3, 0)}


async def test_a_run_that_is_tried_again_is_another_release(table: Releases) -> None:
    await table.add([release(1, "recovered"), release(1, attempt=2)])
    assert {(total.success, total.failed) for total in (await table.table()).totals} == {(1, 1)}


async def test_durations_and_recoveries_are_distributed_over_their_bounds(table: Releases) -> None:
    await table.add(
        [
            release(1, seconds=29.0),
            release(2, seconds=60.0),
            release(3, seconds=0.0),
            release(4, "recovered", seconds=9000.0, recovery=12.0),
            release(5, "recovered", seconds=100.0, recovery=4.0),
        ]
    )
    total = (await table.table()).totals[0]
    assert total.durations.below == (1, 2, 3, 3, 3, 3, 3, 3, 3)
    assert (total.durations.count, total.durations.total) == (4, 9189.0)
    assert total.recoveries.below == (1, 2, 2, 2, 2, 2, 2, 2, 2)
    assert (total.recoveries.count, total.recoveries.total, total.latest) == (2, 16.0, 4.0)


async def test_runs_prevented_and_halted_are_counted(table: Releases) -> None:
    await table.add(
        [
            release(1),
            release(2, "recovered", prevented=True),
            release(3, "halted"),
            release(4, "refused", regions=()),
            release(5, environment="staging", pipeline="staging", strategy="rolling"),
        ]
    )
    found = await table.table()
    assert found.runs["production", "production", "refused"] == 1
    assert found.prevented == {("production", "canary"): 1}
    assert found.halted == {"production"}
    await table.add([release(6)])
    assert (await table.table()).halted == frozenset()


async def test_deployments_are_read_for_the_measures(table: Releases) -> None:
    made = START - timedelta(hours=3)
    await table.add([release(1, committed=(made,)), release(2, "refused"), release(30)])
    one = (await table.deployments("production", START))[0]
    assert (one.pipeline, one.outcome, one.committed) == ("production", "released", (made,))
    assert len(await table.deployments("production", START + timedelta(hours=20))) == 1
    assert await table.deployments("staging", START) == ()


async def test_how_far_it_was_caught_up_never_goes_back(table: Releases) -> None:
    assert await table.caught_up("prefect") is None
    await table.note_caught_up("prefect", START)
    await table.note_caught_up("prefect", START - timedelta(days=1))
    assert await table.caught_up("prefect") == START


async def test_an_empty_table_counts_nothing(table: Releases) -> None:
    found = await table.table()
    assert (found.totals, found.runs, found.prevented, found.halted) == ((), {}, {}, frozenset())


async def test_it_is_read_with_as_many_queries_whatever_it_holds(table: Releases) -> None:
    seen: list[str] = []

    def note(*given: Any) -> None:
        seen.append(given[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await table.table()
        few = len(seen)
        await table.add([release(number) for number in range(50)])
        seen.clear()
        await table.table()
        many = len(seen)
        await table.table()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert many == few == 5
    assert len(seen) == many + 1


async def test_it_works_on_sqlite_too_for_trying(tmp_path: Path) -> None:
    async with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        table = Releases(store)
        assert await table.add([release(1), release(2, "recovered", recovery=3.0)]) == 2
        assert await table.add([release(1)]) == 0
        await table.note_caught_up("prefect", START)
        found = await table.table()
        assert await table.caught_up("prefect") == START
        assert [one.outcome for one in await table.deployments("production", START)] == ["released", "recovered"]
    assert {(total.success, total.failed, total.latest) for total in found.totals} == {(1, 1, 3.0)}
