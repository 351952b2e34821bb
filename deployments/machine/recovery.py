"""Runs whose process ended with the machine or its worker: a pipeline goes on, what had not begun is queued again, and
what else had begun is told as crashed."""

from __future__ import annotations

from typing import Any, cast

import yaml

from clients.prefect_api import PrefectApi
from config import load

GONE = "its process was gone; start the same command again: it goes on from what is live"
_AUTOMATIONS = load.CHECKOUT / "deployments" / "many" / "automations.yaml"


def automation() -> dict[str, Any]:
    """By which the server lets a pipeline go on whose process alone is gone: as where there are several machines."""
    found = yaml.safe_load(_AUTOMATIONS.read_text())["automations"]
    return cast(dict[str, Any], next(one for one in found if one["trigger"]["posture"] == "Reactive"))


async def settle(prefect: PrefectApi) -> list[str]:
    """Put right what the server believes, before any worker runs; a line for a person about each run.

    A run that waits (for approval, its time, a free place) is none of these: it is left as it is.
    """
    going_on = automation()
    names, (becomes,) = going_on["trigger"]["match_related"]["prefect.resource.name"], going_on["actions"]
    again = {found.id for name in names if (found := await prefect.deployment(name)) is not None}
    told: list[str] = []
    for run in await prefect.unfinished():
        if run.kind == "PENDING":
            await prefect.put(run, "SCHEDULED", "queued again: its process was gone before it began")
            told.append(f"run {run.name} is queued again")
        elif run.kind == "CANCELLING":
            await prefect.put(run, "CANCELLED", "its process ended while it was being cancelled")
        elif run.deployment in again:
            await prefect.put(run, becomes["state"], becomes["message"], becomes["name"])
            told.append(f"run {run.name} goes on: its process was gone")
        else:
            await prefect.put(run, "CRASHED", GONE)
            told.append(f"run {run.name} crashed: {GONE}")
    return told
