"""The runs that hold a lock, as the board shows them: their regions, their verdicts, and how long they should take."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from clients.prefect_records import Records
from clients.prefect_runs import Run
from clients.prefect_runs import Runs as Source
from deployments import forecast, prefectapi
from deployments.service import charts
from deployments.service.observer import Change
from release import plan
from release.board_seen import Course, Pace, Seen, SeenPart, SeenRun, Stage
from release.environment import Environment
from release.finished import brings
from release.shifts import NAMED, of_step
from release.underway import evidence_of

# The subflow that takes regions back.
_BACK = "recover"
# The pipelines that know no other strategy.
_ROLLING = ("development", "staging", "hotfix")
# What a region told last is on one line.
_LONGEST_LINE = 160


class Runs:
    """`look` reads what is under way. What past releases took is asked once for each run."""

    def __init__(self, environments: Sequence[Environment]) -> None:
        self._environments = {each.name: each for each in environments}
        self._paces: dict[str, Pace] = {}

    async def look(self, seen: Seen) -> Change:
        holders = {one.held.holder.run: one.environment for one in seen.locks if one.held is not None}
        runs: dict[str, SeenRun] = {}
        courses: tuple[Course, ...] = ()
        async with prefectapi.runs() as source:
            for run, environment in holders.items():
                found = await source.run(run)
                if found is not None:
                    children = await source.children(run)
                    lines = await source.log([run, *(one.id for one in children)])
                    told = [line.text for line in lines]
                    one = self._run(found, children, told, self._environments[environment])
                    one = await _shifted(source, one, children) if one.weights else one
                    runs[run] = replace(one, url=source.page(run))
            if not holders:
                await source.ready()
        if runs:
            courses = await self._courses(holders)
        # Those of runs that are over are forgotten.
        self._paces = {run: pace for run, pace in self._paces.items() if run in holders}
        for run, one in runs.items():
            await self._expect(run, one, holders[run])
        paces = {run: self._paces.get(run, Pace()) for run in runs}
        return lambda old: replace(old, runs=runs, paces=paces, courses=courses)

    def _run(self, run: Run, children: Sequence[Run], told: Sequence[str], environment: Environment) -> SeenRun:
        regions = [one for one in children if brings(one.flow, one.parameters)]
        only = [one for one in run.parameters.get("regions") or () if one in environment.regions]
        given = str(run.parameters.get("strategy") or ("rolling" if run.flow in _ROLLING else ""))
        # What a published release is released by stands in its GitHub release: the regions' runs know it.
        chosen = next((str(one.parameters["strategy"]) for one in regions if one.parameters.get("strategy")), given)
        parts = {(name := str(one.parameters.get("region", ""))): _part(name, one, told) for one in regions}
        back = next((one for one in children if one.flow == _BACK), None)
        if back is not None:
            parts[""] = _part("", back, told)
        weights = plan.weights(environment, "canary") if chosen == "canary" else ()
        return SeenRun(
            run.id,
            chosen,
            plan.waves(environment, only),
            _at(run.began) or 0.0,
            tuple(parts.values()),
            pipeline=run.flow,
            weights=weights,
            least=environment.judged.policy.min_step,
        )

    async def _expect(self, run: str, one: SeenRun, environment: str) -> None:
        strategy = next((each for each in plan.STRATEGIES if each == one.strategy), None)
        if run not in self._paces and strategy is not None:
            pipeline = one.pipeline or "production"
            past = await forecast.past(self._environments[environment], strategy, pipeline)
            known = (past.before, past.prepared, past.back, past.weights)
            self._paces[run] = Pace(past.regions, past.around, *known)

    async def _courses(self, holders: dict[str, str]) -> tuple[Course, ...]:
        api, headers = prefectapi.place()
        async with Records(api, headers=headers) as records:
            facts = [one for one in await records.courses() if one.get("run") in holders]
        return tuple(found for one in facts if (found := _course(one)) is not None)


async def _shifted(source: Source, one: SeenRun, children: Sequence[Run]) -> SeenRun:
    """With what each region's canary got and when, where it is not done: only there it is shown."""
    wanted = [each.id for each in children if brings(each.flow, each.parameters) and each.type != "COMPLETED"]
    steps = await source.steps(wanted, NAMED)
    found = [shift for step in steps if (shift := of_step(step.name, _at(step.ended) or 0.0)) is not None]
    parts = (replace(part, shifts=tuple(each for each in found if each.region == part.region)) for part in one.parts)
    return replace(one, parts=tuple(parts))


def _course(facts: dict[str, Any] | Any) -> Course | None:
    evidence = evidence_of(facts)
    if evidence is None:
        return None
    run = str(facts["run"])
    with suppress(KeyError, TypeError, ValueError):
        return Course(
            run=run,
            region=evidence.region,
            weight=int(facts["weight"]),
            against=evidence.against,
            needed=evidence.needed,
            favour=evidence.favour,
            wanted=evidence.wanted,
            sentence=str(facts["sentence"]),
            chart=charts.stamp(run, evidence.region, facts),
        )
    return None


def _part(region: str, run: Run, told: Sequence[str]) -> SeenPart:
    stages: dict[str, Stage] = {"COMPLETED": "done", "FAILED": "failed", "CRASHED": "failed", "CANCELLED": "failed"}
    stage: Stage = stages.get(run.type, "running" if run.began else "waiting")
    line = ""
    if stage != "waiting" and region:
        said = [text for text in told if text.startswith(f"{region}: ")]
        line = said[-1].removeprefix(f"{region}: ")[:_LONGEST_LINE] if said else ""
    return SeenPart(region, stage, _at(run.began), _at(run.ended) if run.over else None, line)


def _at(iso: str) -> float | None:
    return datetime.fromisoformat(iso).timestamp() if iso else None
