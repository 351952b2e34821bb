"""How long a release is expected to take, from the runs that the Prefect server still has."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from clients.prefect_runs import Runs
from deployments import prefectapi
from release import plan, planning
from release.environment import Environment, Strategy
from release.errors import TidegateError

_PAST = 30


@dataclass(frozen=True, slots=True)
class Past:
    """Seconds of a region, and of what comes before and after the regions: medians of `count` good releases."""

    regions: Mapping[str, float]
    around: float
    count: int


async def past(environment: Environment, chosen: Strategy) -> Past:
    """From the runs that Prefect still has; nothing where it does not answer, for that is only a guess less."""
    with suppress(TidegateError):
        async with prefectapi.runs() as runs:
            return await _told(runs, environment, chosen)
    return Past({}, 0.0, 0)


async def _told(runs: Runs, environment: Environment, chosen: Strategy) -> Past:
    """From what each good release told at its end: its regions' seconds, and the rest of its time under the lock."""
    seconds: dict[str, list[float]] = {}
    around: list[float] = []
    for run in await runs.newest(("production",), _PAST, types=("COMPLETED",)):
        told = (await runs.artifacts([run.id])).get("outcome")
        if not isinstance(told, dict) or (told.get("word"), told.get("strategy")) != ("released", chosen):
            continue
        took = {one["region"]: float(one["seconds"]) for one in told.get("regions") or ()}
        known = [name for name in took if name in environment.regions]
        if not known:
            continue
        for region in known:
            seconds.setdefault(region, []).append(took[region])
        waves = planning.expected(plan.waves(environment, known), took, 0.0) or 0.0
        around.append(max(0.0, float(told.get("locked") or 0.0) - waves))
    found = {region: planning.median(each) for region, each in seconds.items()}
    return Past(found, planning.median(around), len(around))
