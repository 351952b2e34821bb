"""The webhook deliveries that start a run: kept before they are acknowledged, each started once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from clients.audit import record
from clients.store import Store
from clients.tables import asked, caught_up
from clients.tables import deliveries as table

_SOURCE = "github deliveries"
WAITING, STARTED, SUPERSEDED, REFUSED = "waiting", "started", "superseded", "refused"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that asks for a run of `pipeline`.

    `id` is its sender's, `digest` the SHA-256 of its body. A later one of the same `line` takes its place while it
    waits. `run` is the run it started, "" before; `number` counts deliveries as they came.
    """

    id: str
    digest: str
    event: str
    pipeline: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    line: str = ""
    number: int = 0
    run: str = ""


class Deliveries:
    """The deliveries in an open store. Every call raises Unavailable where the database does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, delivery: Delivery, at: float) -> bool:
        """Keep it, safe from a power cut when this returns; False where it, or one with its body, was kept before.

        Those of its line that have no run yet are superseded. One that was refused waits anew when it comes again.
        """
        row = {**_fields(delivery), "at": at, "state": WAITING}
        try:
            async with self._store.begin() as connection:
                await _surely(connection)
                if delivery.line:
                    await _supersede(connection, delivery.line)
                await connection.execute(table.insert().values(row))
        except IntegrityError:
            return await self._again(delivery, row)
        return True

    async def _again(self, delivery: Delivery, row: Mapping[str, Any]) -> bool:
        same = (table.c.id == delivery.id) & (table.c.digest == delivery.digest) & (table.c.state == REFUSED)
        async with self._store.begin() as connection:
            await _surely(connection)
            return (await connection.execute(update(table).where(same).values(**row, note=""))).rowcount == 1

    async def waiting(self) -> list[Delivery]:
        """What was kept and not started yet, oldest first."""
        chosen = select(table).where(table.c.state == WAITING).order_by(table.c.number).limit(100)
        async with self._store.begin() as connection:
            return [_delivery(row) for row in (await connection.execute(chosen)).mappings()]

    async def counts(self, since: float) -> dict[str, int]:
        """How many wait, and how many of those that came at `since` or later (seconds since the epoch) were refused."""
        refused = (table.c.state == REFUSED) & (table.c.at >= since)
        chosen = select(table.c.state, func.count()).where((table.c.state == WAITING) | refused).group_by(table.c.state)
        async with self._store.begin() as connection:
            found = {str(state): int(number) for state, number in await connection.execute(chosen)}
        return {WAITING: 0, REFUSED: 0} | found

    async def before(self, delivery: Delivery, most: int = 5) -> list[str]:
        """The runs that earlier deliveries of its line started, newest first; none for a delivery without a line."""
        if not delivery.line:
            return []
        earlier = (table.c.line == delivery.line) & (table.c.number < delivery.number) & (table.c.state == STARTED)
        chosen = select(table.c.run).where(earlier).order_by(table.c.number.desc()).limit(most)
        async with self._store.begin() as connection:
            return [str(row.run) for row in await connection.execute(chosen)]

    async def since(self, now: float) -> float:
        """When deliveries were first looked for in this database (seconds since the epoch): `now`, the first time."""
        try:
            async with self._store.begin() as connection:
                await connection.execute(caught_up.insert().values(source=_SOURCE, ended=now))
        except IntegrityError:
            async with self._store.begin() as connection:
                chosen = select(caught_up.c.ended).where(caught_up.c.source == _SOURCE)
                return float((await connection.execute(chosen)).scalar_one())
        return now

    async def known(self, ids: Collection[str]) -> set[str]:
        """Those of the ids that were kept, whatever became of them."""
        chosen = select(table.c.id).where(table.c.id.in_(ids))
        async with self._store.begin() as connection:
            return {str(row.id) for row in await connection.execute(chosen)}

    async def accepted(self, lines: Collection[str]) -> dict[str, float]:
        """Line -> when the newest delivery of it came that has a run, or waits for one (seconds since the epoch)."""
        mine = table.c.line.in_(lines) & table.c.state.in_((WAITING, STARTED))
        chosen = select(table.c.line, func.max(table.c.at)).where(mine).group_by(table.c.line)
        async with self._store.begin() as connection:
            return {str(line): float(at) for line, at in await connection.execute(chosen)}

    async def started(self, delivery: Delivery, run: str, at: float) -> None:
        """It has its run; who asked for that is kept and written into the audit with it, once."""
        who = str(delivery.parameters.get("actor", ""))
        async with self._store.begin() as connection:
            await _end(connection, delivery, state=STARTED, run=run)
            if (await connection.execute(select(asked.c.run).where(asked.c.run == run))).first() is None:
                await connection.execute(asked.insert().values(run=run, who=who, via="github", at=at))
                await record(connection, who, "github", "ask", run, at, {"delivery": delivery.id, "proven": True})

    async def lately(self, since: float) -> list[str]:
        """The runs of deliveries that came at `since` or later (seconds since the epoch)."""
        chosen = select(table.c.run).where((table.c.state == STARTED) & (table.c.at >= since))
        async with self._store.begin() as connection:
            return [str(row.run) for row in await connection.execute(chosen)]

    async def refused(self, delivery: Delivery, note: str) -> None:
        """It has no run, and why; it may come again."""
        async with self._store.begin() as connection:
            await _end(connection, delivery, state=REFUSED, note=note)


async def _surely(connection: AsyncConnection) -> None:
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SET LOCAL synchronous_commit = on"))


async def _supersede(connection: AsyncConnection, line: str) -> None:
    earlier = (table.c.line == line) & table.c.state.in_((WAITING, REFUSED))
    await connection.execute(update(table).where(earlier).values(state=SUPERSEDED))


async def _end(connection: AsyncConnection, delivery: Delivery, **values: str) -> None:
    await connection.execute(update(table).where(table.c.id == delivery.id).values(**values))


def _fields(delivery: Delivery) -> dict[str, Any]:
    names = ("id", "digest", "event", "pipeline", "line")
    return {name: getattr(delivery, name) for name in names} | {"parameters": dict(delivery.parameters)}


def _delivery(row: Mapping[Any, Any]) -> Delivery:
    names = ("id", "digest", "event", "pipeline", "parameters", "line", "number", "run")
    return Delivery(**{name: row[name] for name in names})
