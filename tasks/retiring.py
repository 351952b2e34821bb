"""Forgetting a slot that was kept for the rollback window."""

from __future__ import annotations

from prefect import task

from config import load
from release.environment import Region
from tasks import context
from tasks.policy import PATIENT


@task(task_run_name="{region.name}: forget the kept slot", **PATIENT)
async def forget(region: Region) -> None:
    """Clear the record of a slot that is gone; what is live and what was before it stay."""
    app = load.settings().application.name
    async with context.cluster(region) as cluster:
        route = (await cluster.observe(app, region.name)).route
        if route is not None and route.live is not None:
            await cluster.record(app, route.live, route.previous, None)
