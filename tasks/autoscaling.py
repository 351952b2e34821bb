"""What an autoscaler must not undo during a release and its rollback window: the count of both slots."""

from __future__ import annotations

from prefect import task

from config import load
from release.environment import Region
from release.model import RegionState, Slot
from tasks import context
from tasks.policy import PATIENT
from tasks.say import say


@task(task_run_name="{region.name}: keep the count of {slot}", **PATIENT)
async def keep_count(region: Region, slot: Slot) -> None:
    """A chart that leaves the count to an autoscaler takes no pod away, also when it is the first that does."""
    async with context.cluster(region) as cluster:
        await cluster.keep_count(load.settings().application.name, slot)


@task(task_run_name="{region.name}: hold {slot}", **PATIENT)
async def hold(region: Region, slot: Slot, state: RegionState) -> None:
    """The slot that loses users keeps the pods it has, so that going back never lands on fewer."""
    workload = state.slot(slot).workload
    if workload is not None:
        await _set(region, slot, workload.replicas)


@task(task_run_name="{region.name}: no longer hold {slot}", **PATIENT)
async def free(region: Region, slot: Slot, least: int) -> None:
    """The window is over: the autoscaler has its own minimum again."""
    if await _set(region, slot, least):
        say(f"the autoscaler of {slot} may go down to {least} pods again", region=region.name)


async def _set(region: Region, slot: Slot, replicas: int) -> bool:
    async with context.cluster(region) as cluster:
        return await cluster.set_minimum(load.settings().application.name, slot, replicas)
