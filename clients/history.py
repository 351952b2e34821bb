"""Past releases as people look for them, newest first, from the table of finished releases."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select

from clients.store import Store
from clients.tables import finished_releases
from release.board_seen import DEPLOYED, Past

_COLUMNS = (
    finished_releases.c.run,
    finished_releases.c.pipeline,
    finished_releases.c.environment,
    finished_releases.c.version,
    finished_releases.c.strategy,
    finished_releases.c.outcome,
    finished_releases.c.actor,
    finished_releases.c.ended,
    finished_releases.c.seconds,
    finished_releases.c.recovery,
    finished_releases.c.reason,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; empty for any. `text` is in the version, the reason, or who started it."""

    environment: str = ""
    pipeline: str = ""
    outcome: str = ""
    text: str = ""


class History:
    """Over an open store. Raises Unavailable where the database does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, wanted: Wanted, *, limit: int, skip: int = 0) -> tuple[tuple[Past, ...], int]:
        """So many of those that fit, newest first, and how many fit in all."""
        newest = finished_releases.c.ended.desc(), finished_releases.c.run
        rows = _fitting(select(*_COLUMNS), wanted).order_by(*newest).limit(limit).offset(skip)
        count = _fitting(select(func.count()).select_from(finished_releases), wanted)
        async with self._store.begin() as connection:
            found = tuple(Past(**row) for row in (await connection.execute(rows)).mappings())
            return found, int(await connection.scalar(count) or 0)

    async def deployed(self) -> Mapping[str, Past]:
        """Environment -> the newest release that changed it, however many ended since then that did not."""
        columns = finished_releases.c
        newest = func.row_number().over(partition_by=columns.environment, order_by=(columns.ended.desc(), columns.run))
        numbered = select(*_COLUMNS, newest.label("place")).where(columns.outcome.in_(DEPLOYED)).subquery()
        rows = select(*(each for each in numbered.c if each.name != "place")).where(numbered.c.place == 1)
        async with self._store.begin() as connection:
            return {row["environment"]: Past(**row) for row in (await connection.execute(rows)).mappings()}

    async def actors(self, runs: Collection[str]) -> Mapping[str, str]:
        """Run -> who started it; a run that has not ended yet is left out."""
        if not runs:
            return {}
        columns = finished_releases.c
        rows = select(columns.run, columns.actor).where(columns.run.in_(sorted(runs)), columns.actor != "")
        async with self._store.begin() as connection:
            return {row.run: row.actor for row in await connection.execute(rows)}


def _fitting(query: Select[Any], wanted: Wanted) -> Select[Any]:
    columns = finished_releases.c
    for column, value in (
        (columns.environment, wanted.environment),
        (columns.pipeline, wanted.pipeline),
        (columns.outcome, wanted.outcome),
    ):
        if value:
            query = query.where(column == value)
    if text := wanted.text.strip().removeprefix("v"):
        places = (columns.version, columns.reason, columns.actor, columns.run)
        query = query.where(or_(*(place.icontains(text, autoescape=True) for place in places)))
    return query
