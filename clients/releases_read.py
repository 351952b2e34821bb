"""What is read from the table of finished releases: a query each, two for the totals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from clients.tables import finished_regions as regions
from clients.tables import finished_releases as releases
from release.dora import Deployment
from release.finished import CRASHED
from release.metrics import DURATIONS, RECOVERIES, Distribution, Labels, Total

_DEPLOYED = ("released", "recovered", "halted")
_LABELS = (regions.c.environment, regions.c.region, regions.c.strategy, regions.c.pipeline)


async def totals(connection: AsyncConnection) -> tuple[Total, ...]:
    """Counts and distributions by (environment, region, strategy, pipeline)."""
    newest = select(*_LABELS, regions.c.recovery).where(regions.c.recovery > 0).order_by(regions.c.ended)
    latest = {tuple(row[:4]): float(row[4]) for row in await connection.execute(newest)}
    columns = (
        *(func.count(), func.count().filter(regions.c.result == "success")),
        *_distribution(regions.c.seconds, DURATIONS),
        *_distribution(regions.c.recovery, RECOVERIES),
    )
    found = await connection.execute(select(*_LABELS, *columns).group_by(*_LABELS))
    return tuple(_total(tuple(row), latest) for row in found)


async def runs(connection: AsyncConnection) -> tuple[Mapping[Labels, int], Mapping[Labels, int]]:
    """How many runs by (pipeline, environment, outcome), and incidents prevented by (environment, strategy)."""
    table = releases.c
    group = (table.pipeline, table.environment, table.outcome, table.strategy)
    prevented = func.count().filter(table.prevented)
    counted: dict[Labels, int] = {}
    kept: dict[Labels, int] = {}
    for row in await connection.execute(select(*group, func.count(), prevented).group_by(*group)):
        pipeline, environment, outcome, strategy, count, saved = row
        counted[pipeline, environment, outcome] = counted.get((pipeline, environment, outcome), 0) + count
        if saved:
            kept[environment, strategy] = kept.get((environment, strategy), 0) + saved
    return counted, kept


async def halted(connection: AsyncConnection) -> frozenset[str]:
    """The environments whose newest deployment was halted."""
    table = releases.c
    ended = select(table.environment, func.max(table.ended), table.outcome).where(table.outcome.in_(_DEPLOYED))
    rows = sorted(tuple(row) for row in await connection.execute(ended.group_by(table.environment, table.outcome)))
    # The rows of an environment are in the order of their ends: its last one stands.
    newest = {environment: outcome for environment, _, outcome in rows}
    return frozenset(environment for environment, outcome in newest.items() if outcome == "halted")


async def deployments(connection: AsyncConnection, environment: str, since: datetime) -> tuple[Deployment, ...]:
    """What ended in an environment since then; of the runs that crashed, those that had begun in a region."""
    table = releases.c
    columns = (table.pipeline, table.outcome, table.ended, table.recovery, table.committed)
    begun = exists().where(regions.c.run == table.run, regions.c.attempt == table.attempt)
    deployed = or_(table.outcome.in_(_DEPLOYED), and_(table.outcome == CRASHED, begun))
    chosen = select(*columns).where(table.environment == environment, table.ended >= since.timestamp(), deployed)
    return tuple(
        Deployment(pipeline, outcome, _moment(ended), recovery, tuple(map(_moment, committed)))
        for pipeline, outcome, ended, recovery, committed in await connection.execute(chosen.order_by(table.ended))
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _distribution(column: ColumnElement[float], bounds: tuple[float, ...]) -> list[ColumnElement[Any]]:
    """Counts at most each bound, the whole count and the sum; 0 means that it was not measured."""
    counts = [func.count().filter(column > 0, column <= bound) for bound in bounds]
    return [*counts, func.count().filter(column > 0), func.sum(column)]


def _total(row: tuple[Any, ...], latest: Mapping[Labels, float]) -> Total:
    labels, count, success, numbers = row[:4], row[4], row[5], row[6:]
    cut = len(DURATIONS) + 2
    return Total(labels, success, count - success, _read(numbers[:cut]), _read(numbers[cut:]), latest.get(labels))


def _read(numbers: tuple[Any, ...]) -> Distribution:
    return Distribution(tuple(numbers[:-2]), numbers[-2], float(numbers[-1] or 0.0))
