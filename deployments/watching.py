"""A run as it goes on: its regions, who of their users is where, the evidence, and its lines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clients.prefect_runs import Line, Run, Runs
from config import load
from release import plan
from release.environment import Environment, Region
from release.errors import Refused, TidegateError
from release.model import SLOTS, RegionState
from release.outcome import EXIT_CODES
from tasks import context

# Each pipeline's environment.
_WHERE = {
    "development": "development",
    "staging": "staging",
    "production": "production",
    "hotfix": "production",
    "rollback": "production",
    "guard": "production",
}
# The subflows that a region's way is, by their name.
_REGIONAL = ("region", "emergency")
# Prefect's own words about its runs, which a person who watches has in the table.
_CHATTER = ("Beginning ", "Finished in state ", "View at ", "Created ")


@dataclass(frozen=True, slots=True)
class RegionNow:
    """A region of the run: `users` is the percent that the run's version has there, `ready` of `pods` its pods.

    `state` is Prefect's word, `waiting` before its turn; `evidence` the verdict's newest sentence.
    """

    region: str
    wave: int
    state: str = "waiting"
    users: int = 0
    ready: int = 0
    pods: int = 0
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One look at a run. `lines` are those since the look before; `exit_code` is known once it is over."""

    run: Run
    regions: tuple[RegionNow, ...] = ()
    lines: tuple[Line, ...] = ()
    exit_code: int | None = None


async def find(runs: Runs, beginning: str) -> Run:
    """The run. Raises Refused where there is none."""
    run = await runs.run(beginning)
    if run is None or run.flow not in _WHERE:
        raise Refused(
            f"there is no run {beginning!r}.", field="run", next_step="See `tidegate status` and `tidegate history`."
        )
    return run


async def look(runs: Runs, before: View) -> View:
    """The run as it is now, and what it said since the look before."""
    run = await find(runs, before.run.id)
    children = await runs.children(run.id)
    ids = [run.id, *(one.id for one in children)]
    after = before.lines[-1].at if before.lines else ""
    environment = load.environment(_WHERE[run.flow])
    lines, told, regions = await asyncio.gather(
        runs.log(ids, after), runs.artifacts(ids), _regions(environment, run, children)
    )
    known = tuple(replace(one, evidence=_evidence(told, environment, one.region)) for one in regions)
    # The server gives the last line once more.
    new = (line for line in lines if line not in before.lines)
    said = tuple(line for line in new if not line.text.startswith(_CHATTER))
    return View(run, known, said, _exit_code(run, told))


def _exit_code(run: Run, told: Mapping[str, Any]) -> int | None:
    if not run.over:
        return None
    outcome = told.get("outcome")
    if isinstance(outcome, dict) and outcome.get("word"):
        return EXIT_CODES.get(outcome["word"], 1)
    return 0 if run.type == "COMPLETED" else 1


def _evidence(told: Mapping[str, Any], environment: Environment, region: str) -> str:
    course = told.get(f"live-{environment.name}-{region}")
    return str(course.get("sentence", "")) if isinstance(course, dict) else ""


async def _regions(environment: Environment, run: Run, children: Sequence[Run]) -> tuple[RegionNow, ...]:
    begun = {str(one.parameters.get("region")): one for one in children if one.flow in _REGIONAL}
    wanted = [name for name in run.parameters.get("regions") or () if name in environment.regions]
    waves = plan.waves(environment, wanted)
    rows = [RegionNow(name, number) for number, wave in enumerate(waves, 1) for name in wave]
    return tuple(await asyncio.gather(*(_row(environment.regions[row.region], row, begun) for row in rows)))


async def _row(region: Region, row: RegionNow, begun: Mapping[str, Run]) -> RegionNow:
    child = begun.get(region.name)
    if child is None:
        return row
    row = replace(row, state=child.state.lower())
    digest = str(child.parameters.get("digest") or "")
    try:
        async with context.cluster(region) as cluster:
            state = await cluster.observe(load.settings().application.name, region.name)
    except TidegateError:
        return replace(row, state=f"{row.state}, cannot be seen")
    return _seen(row, state, digest)


def _seen(row: RegionNow, state: RegionState, digest: str) -> RegionNow:
    """Users are counted by the weights of the slots, and within a slot by its Ready pods."""
    users, ready, pods = 0.0, 0, 0
    for slot in SLOTS:
        here = [pod for pod in state.slot(slot).pods if not pod.terminating]
        serving = [pod for pod in here if pod.ready]
        ours = [pod for pod in serving if pod.digest == digest]
        weight = state.route.weight(slot) if state.route else 0
        users += weight * len(ours) / len(serving) if serving else 0
        ready += len(ours)
        pods += sum(pod.digest == digest for pod in here)
    return replace(row, users=round(users), ready=ready, pods=pods)
