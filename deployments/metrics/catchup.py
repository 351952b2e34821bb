"""Bringing the table of finished releases up to what Prefect's records say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from clients.releases import Releases
from clients.runs import Runs
from release.finished import PIPELINES, Finished, Run, finished

SOURCE = "prefect"
# Several API servers write side by side: a run may be seen a little after one that ended later.
OVERLAP = timedelta(minutes=10)


async def catch_up(source: Runs, table: Releases, known: Mapping[str, Collection[str]]) -> int:
    """Read what has ended since the last time, page by page; how many releases were new.

    Safe to do twice, or to be cut short: how far it came is noted at its end, and a release that is known is left as
    it is. `known` are the regions of each environment. Raises Unavailable when either side does not answer.
    """
    until = await table.caught_up(SOURCE)
    newest: datetime | None = None
    new = 0
    async for page in source.ended(PIPELINES, until - OVERLAP if until else None):
        new += await table.add(await _finished(source, page, known))
        newest = max([run.ended for run in page] + ([newest] if newest else []))
    if newest is not None:
        await table.note_caught_up(SOURCE, newest)
    return new


async def _finished(source: Runs, page: Sequence[Run], known: Mapping[str, Collection[str]]) -> list[Finished]:
    outcomes = await source.outcomes([run.id for run in page])
    found = []
    for run in page:
        outcome = outcomes.get(run.id)
        # A run that was killed told nothing: its regions' own runs say how far it came.
        children = await source.regions_of(run.id) if outcome is None and run.began else ()
        one = finished(run, outcome, children, known)
        if one is not None:
            found.append(one)
    return found
