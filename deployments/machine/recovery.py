"""Runs whose process ended with the machine: what had not begun is queued again, what had begun is told as crashed."""

from __future__ import annotations

from clients.prefect_api import PrefectApi

GONE = "its machine was restarted while it ran; start the same command again: it goes on from what is live"


async def settle(prefect: PrefectApi) -> list[str]:
    """Put right what the server believes, before any worker runs; a line for a person about each run.

    A run that waits (for approval, its time, a free place) is none of these: it is left as it is.
    """
    told: list[str] = []
    for run in await prefect.unfinished():
        if run.kind == "PENDING":
            await prefect.put(run, "SCHEDULED", "queued again: its machine was restarted before it began")
            told.append(f"run {run.name} is queued again")
        elif run.kind == "CANCELLING":
            await prefect.put(run, "CANCELLED", "its machine was restarted while it was being cancelled")
        else:
            await prefect.put(run, "CRASHED", GONE)
            told.append(f"run {run.name} crashed: {GONE}")
    return told
