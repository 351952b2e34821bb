"""The table of finished releases in the store: each is written once, and none is ever changed or removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table as Columns
from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from clients import releases_read
from clients.store import Store
from clients.tables import caught_up, finished_regions, finished_releases
from release.dora import Deployment
from release.finished import Finished
from release.metrics import Table


class Releases:
    """The table of an open store. Every method raises Unavailable when the database does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folded: tuple[int, Table] | None = None

    async def add(self, found: Sequence[Finished]) -> int:
        """Keep releases; how many of them were not known. One that is known stays as it was first told."""
        if not found:
            return 0
        async with self._store.begin() as connection:
            key = finished_releases.c.run, finished_releases.c.attempt
            write = _insert(connection, finished_releases).on_conflict_do_nothing().returning(*key)
            new = {tuple(row) for row in await connection.execute(write, [_release(one) for one in found])}
            rows = [row for one in found if (one.run, one.attempt) in new for row in _regions(one)]
            if rows:
                await connection.execute(_insert(connection, finished_regions).on_conflict_do_nothing(), rows)
        return len(new)

    async def caught_up(self, source: str) -> datetime | None:
        """Until when the runs of `source` were all read; None where none were yet."""
        async with self._store.begin() as connection:
            ended = await connection.scalar(select(caught_up.c.ended).where(caught_up.c.source == source))
        return None if ended is None else datetime.fromtimestamp(ended, UTC)

    async def note_caught_up(self, source: str, ended: datetime) -> None:
        """All runs of `source` that ended until then were read. It never goes back."""
        at = ended.timestamp()
        later = update(caught_up).where(caught_up.c.source == source, caught_up.c.ended < at).values(ended=at)
        async with self._store.begin() as connection:
            first = _insert(connection, caught_up).on_conflict_do_nothing()
            await connection.execute(first, [{"source": source, "ended": at}])
            await connection.execute(later)

    async def table(self) -> Table:
        """All of it, folded: as many queries whatever it holds, and one while nothing was added."""
        async with self._store.begin() as connection:
            # Rows are never changed or removed: as many rows are the same rows.
            count = await connection.scalar(select(func.count()).select_from(finished_releases)) or 0
            if self._folded is not None and self._folded[0] == count:
                return self._folded[1]
            runs, prevented = await releases_read.runs(connection)
            found = Table(
                totals=await releases_read.totals(connection),
                runs=runs,
                prevented=prevented,
                halted=await releases_read.halted(connection),
            )
        self._folded = count, found
        return found

    async def deployments(self, environment: str, since: datetime) -> tuple[Deployment, ...]:
        """What ended in an environment since then, as DORA's measures take it."""
        async with self._store.begin() as connection:
            return await releases_read.deployments(connection, environment, since)


def _insert(connection: AsyncConnection, table: Columns) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _release(one: Finished) -> dict[str, Any]:
    row = {column.name: getattr(one, column.name) for column in finished_releases.c}
    committed = [moment.timestamp() for moment in one.committed]
    return row | {"asked": one.asked.timestamp(), "ended": one.ended.timestamp(), "committed": committed}


def _regions(one: Finished) -> Iterable[Mapping[str, Any]]:
    for region in one.regions:
        yield {
            **{name: getattr(one, name) for name in ("run", "attempt", "environment", "strategy", "pipeline")},
            "region": region.region,
            "result": region.result,
            "outcome": region.outcome,
            "ended": one.ended.timestamp(),
            "seconds": one.seconds,
            "recovery": one.recovery if region.outcome == "recovered" else 0.0,
        }
