"""Bringing the table of finished releases up to what Prefect's records say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from clients.prefect_records import Records
from clients.releases import Releases
from release.finished import PIPELINES, Finished, Run, finished, may_go_on, says_where

SOURCE = "prefect"
# Several API servers write side by side: a run may be seen a little after one that ended later.
OVERLAP = timedelta(minutes=10)
_BEFORE_ANY = datetime(1970, 1, 2, tzinfo=UTC)


async def catch_up(source: Records, table: Releases, known: Mapping[str, Collection[str]]) -> int:
    """Read what has ended since the last time, page by page; how many releases were new.

    Safe to do twice, or to be cut short: how far it came is noted at its end, and a release that is known is left as
    it is. `known` are the regions of each environment. Raises Unavailable when either side does not answer.
    """
    until, now = await table.caught_up(SOURCE), datetime.now(UTC)
    newest: datetime | None = None
    new = 0
    async for page in source.ended(PIPELINES, until - OVERLAP if until else None):
        # One that may go on is within the overlap, and seen again.
        over = [run for run in page if not may_go_on(run, now)]
        new += await table.add(await _finished(source, over, known))
        newest = max([run.ended for run in page] + ([newest] if newest else []))
    await table.note_caught_up(SOURCE, newest or until or _BEFORE_ANY)
    return new


async def _finished(source: Records, page: Sequence[Run], known: Mapping[str, Collection[str]]) -> list[Finished]:
    outcomes = await source.outcomes([run.id for run in page])
    found = []
    for run in page:
        outcome = outcomes.get(run.id)
        # What a run that broke off did not tell, its regions' own runs say.
        children = await source.regions_of(run.id) if run.began and not says_where(outcome) else ()
        one = finished(run, outcome, children, known)
        if one is not None:
            found.append(one)
    return found
