"""How well the team releases, from the table of finished releases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clients.prefect_records import Records
from clients.releases import Releases
from clients.store import Store
from config import load
from release import dora_report
from release.dora import measures
from release.dora_report import Report
from release.errors import Refused
from tasks import context, server
from tasks.catchup import catch_up


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


async def up_to_date(days: int) -> Report:
    """As `measured`, once the table has what ended until now. Raises Refused as `database`, Unavailable where that or
    Prefect does not answer."""
    api, headers = server.place()
    known = {name: tuple(load.environment(name).regions) for name in load.ENVIRONMENTS}
    async with await database() as store, Records(api, headers=headers) as records:
        table = Releases(store)
        await catch_up(records, table, known)
        return await measured(table, days)


async def measured(table: Releases, days: int) -> Report:
    """DORA's measures of production in the last `days`, and in as many before those."""
    until, period = datetime.now(UTC), timedelta(days=days)
    # What was live before the first period is what a remedy in it was for.
    found = await table.deployments("production", until - 3 * period)
    now = measures(found, until - period, until)
    return dora_report.Report(until - period, until, now, measures(found, until - 2 * period, until - period))
