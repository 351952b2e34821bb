"""How long a release is expected to take, from the runs that the Prefect server still has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clients.prefect_runs import Run, Runs
from deployments import prefectapi
from release import plan, planning
from release.environment import Environment, Strategy
from release.errors import TidegateError
from release.finished import brings
from release.shifts import NAMED, Shift, of_step, reached, took

_PAST = 30
# Of so many the regions' runs are asked for too: a request each.
_CLOSELY = 5


@dataclass(frozen=True, slots=True)
class Past:
    """Seconds of a region, and of what comes before and after the regions: medians of `count` good releases.

    `before` are those before the lock was won, `prepared` those from there to the first region, `back` those of a way
    back; 0 where none is known. `weights` are those of a canary at a region's weight.
    """

    regions: Mapping[str, float]
    around: float
    count: int
    before: float = 0.0
    prepared: float = 0.0
    back: float = 0.0
    weights: Mapping[tuple[str, int], float] = field(default_factory=dict)


async def past(environment: Environment, chosen: Strategy, pipeline: str = "production") -> Past:
    """From the runs that Prefect still has; nothing where it does not answer, for that is only a guess less."""
    with suppress(TidegateError):
        async with prefectapi.runs() as runs:
            return await _told(runs, environment, chosen, pipeline)
    return Past({}, 0.0, 0)


async def _told(runs: Runs, environment: Environment, chosen: Strategy, pipeline: str) -> Past:
    """From what each good release told at its end: its regions' seconds, and the rest of its time under the lock."""
    seconds: dict[str, list[float]] = {}
    around: list[float] = []
    before: list[float] = []
    prepared: list[float] = []
    closely: list[Run] = []
    for run, told in await _ended(runs, await runs.newest((pipeline,), _PAST, types=("COMPLETED",))):
        if (told.get("word"), told.get("strategy")) != ("released", chosen):
            continue
        took = {one["region"]: float(one["seconds"]) for one in told.get("regions") or ()}
        known = [name for name in took if name in environment.regions]
        if not known:
            continue
        for region in known:
            seconds.setdefault(region, []).append(took[region])
        waves = planning.expected(plan.waves(environment, known), took, 0.0) or 0.0
        locked = float(told.get("locked") or 0.0)
        around.append(max(0.0, locked - waves))
        won = _at(run.ended) - locked
        before.append(max(0.0, won - _at(run.began)))
        if len(prepared) < _CLOSELY:
            below = await runs.children(run.id)
            begun = [one for one in below if one.began and brings(one.flow, one.parameters)]
            prepared += [max(0.0, min(_at(one.began) for one in begun) - won)] if begun else []
            closely += begun
    recovered = await _ended(runs, await runs.newest((pipeline,), _PAST, states=("Recovered",)))
    back = [float(told.get("recovery") or 0.0) for _, told in recovered if told.get("strategy") == chosen]
    found = {region: planning.median(each) for region, each in seconds.items()}
    of_before, of_prepared, of_back = map(planning.median, (before, prepared, back))
    weights = await _weights(runs, environment, closely) if chosen == "canary" else {}
    return Past(found, planning.median(around), len(around), of_before, of_prepared, of_back, weights)


async def _weights(runs: Runs, environment: Environment, regions: Sequence[Run]) -> Mapping[tuple[str, int], float]:
    """How long these regions' runs, which ended well, were at each of a canary's weights."""
    shifts: dict[str, list[Shift]] = {}
    for step in await runs.steps([one.id for one in regions], NAMED):
        if (found := of_step(step.name, _at(step.ended))) is not None:
            shifts.setdefault(step.run, []).append(found)
    seconds: dict[tuple[str, int], list[float]] = {}
    for one in regions:
        if one.ended and one.id in shifts:
            began = reached(shifts[one.id], plan.weights(environment, "canary"))
            for weight, each in took(began, _at(one.ended)).items():
                seconds.setdefault((str(one.parameters.get("region", "")), weight), []).append(each)
    return {place: planning.median(each) for place, each in seconds.items()}


async def _ended(runs: Runs, found: Sequence[Run]) -> list[tuple[Run, Mapping[str, Any]]]:
    """The runs with what they told at their end; one that told nothing is left out."""
    told = await runs.told([one.id for one in found], "outcome")
    ended = [one for one in found if one.began and one.ended]
    return [(one, outcome) for one in ended if isinstance(outcome := told.get(one.id), dict)]


def _at(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()
