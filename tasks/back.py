"""Users leave a bad version: one look at a region and at most one write, over one connection."""

from __future__ import annotations

from collections.abc import Callable

from prefect import task

from config import load
from release.environment import Region
from release.model import RegionState
from release.steps import Shift
from tasks import context, stop
from tasks.policy import RETRY
from tasks.say import say


@task(task_run_name="{region.name}: users back", **RETRY)
async def users_back(region: Region, decide: Callable[[RegionState], Shift | None]) -> RegionState:
    """Write the weights that `decide` asks for, nothing where that is None; the region as it was before."""
    app = load.settings().application.name
    async with stop.moving(region.name, back=True), context.cluster(region) as cluster:
        state = await cluster.observe(app, region.name)
        step = decide(state)
        if step is None:
            return state
        blue = step.weight if step.slot == "blue" else 100 - step.weight
        await cluster.set_weights(app, blue, 100 - blue)
    say(f"{step.slot} now has {step.weight} % of the users", region=region.name)
    return state
