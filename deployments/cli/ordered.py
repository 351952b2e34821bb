"""Asking a worker for a run, from the command line: a closed laptop does not stop it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rich.console import Console

from deployments import prefectapi
from deployments.cli.follow import Follower

if TYPE_CHECKING:
    from clients.prefect_api import Deployment, FlowRun
    from clients.prefect_runs import Run
    from release.outcome import Outcome


async def worker_for(pipeline: str) -> Deployment | str:
    """The pipeline's deployment, where a worker is there for it; otherwise what is missing, as a sentence."""
    async with prefectapi.orders() as prefect:
        deployment = await prefect.deployment(pipeline)
        if deployment is None:
            return "no deployment is registered"
        if not await prefect.workers(deployment.pool, datetime.now(UTC)):
            return "no worker is there"
        return deployment


async def order(deployment: Deployment, call: Mapping[str, Any]) -> FlowRun:
    """Create the run, and keep who asked for it: at the command line that is known."""
    async with prefectapi.orders() as prefect:
        run = await prefect.create(deployment, call, key=f"cli-{uuid4()}", tags=("cli",), checked=False)
    await _remember(run.id, str(call["actor"]))
    return run


async def followed(console: Console, run: str) -> tuple[Run, Outcome | None]:
    """Show the run until it has ended."""
    async with prefectapi.runs() as runs:
        return await Follower(runs, console).to_the_end(run)


async def _remember(run: str, who: str) -> None:
    from clients.ballots import Ballots
    from tasks import context

    store = await context.store()
    if store is not None:
        async with store:
            await Ballots(store).asked_by(run, who, "cli", time.time())
