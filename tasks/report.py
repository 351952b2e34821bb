"""How well the team releases, from the table of finished releases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clients.releases import Releases
from clients.store import Store
from release import dora_report
from release.dora import measures
from release.dora_report import Report
from release.errors import Refused
from tasks import context


async def database() -> Store:
    """The database, to be opened with `async with`. Raises Refused where none is configured."""
    store = await context.store()
    if store is None:
        raise Refused(
            "finished releases are kept in a database, and none is configured.",
            field="tidegate.yaml: database.url",
            next_step="Name one, or start `tidegate serve --all`, which brings its own.",
        )
    return store


async def measured(table: Releases, days: int) -> Report:
    """DORA's measures of production in the last `days`, and in as many before those."""
    until, period = datetime.now(UTC), timedelta(days=days)
    # What was live before the first period is what a remedy in it was for.
    found = await table.deployments("production", until - 3 * period)
    now = measures(found, until - period, until)
    return dora_report.Report(until - period, until, now, measures(found, until - 2 * period, until - period))
