"""Ending a run that holds no lock: in the queue, at its gates, in its tests. Nothing is there to be taken back."""

from __future__ import annotations

import time
from contextlib import suppress

from clients.ballots import Ballots
from clients.prefect_runs import Run
from deployments import prefectapi
from release.errors import Refused, TidegateError
from tasks import context


async def stop(beginning: str, who: str, reason: str) -> Run:
    """End the run whose id begins so, and have Prefect keep who did it and why; the run as it was.

    Raises Refused where there is none, where it has ended, and where it runs at somebody's command line.
    """
    async with prefectapi.runs() as runs:
        run = await runs.run(beginning)
    if run is None:
        raise Refused(f"there is no run {beginning}.", field="run", next_step="See `tidegate status`.")
    if run.over:
        raise Refused(f"{run.flow} {run.name} has ended: {run.state}.", field="run", next_step="Nothing.")
    async with prefectapi.orders() as prefect:
        (found,) = await prefect.read([run.id])
        if not found.deployment and found.kind == "RUNNING":
            raise Refused(
                f"{run.flow} {run.name} runs at a command line and holds no lock yet.",
                field="run",
                next_step="End it there, with Ctrl-C.",
            )
        await prefect.cancel(found, f"aborted by {who}: {reason}")
    # Where the database is away, the operator service closes it later.
    with suppress(TidegateError):
        await _close(run)
    return run


async def _close(run: Run) -> None:
    """Its request waits no longer, so that nobody votes about it."""
    store = await context.store()
    if store is None:
        return
    async with store:
        ballots, now = Ballots(store), time.time()
        for request in await ballots.waiting():
            if request.run == run.id:
                await ballots.end(request.bound.key, now)
