"""Asking a worker for a run, from the command line: a closed laptop does not stop it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rich.console import Console

from deployments import audited, prefectapi
from deployments.cli.follow import Follower

if TYPE_CHECKING:
    from clients.prefect_api import Deployment, FlowRun
    from clients.prefect_runs import Run
    from release.outcome import Outcome
    from release.people import Requester


async def worker_for(pipeline: str) -> Deployment | str:
    """The pipeline's deployment, where a worker is there for it; otherwise what is missing, as a sentence."""
    async with prefectapi.orders() as prefect:
        deployment = await prefect.deployment(pipeline)
        if deployment is None:
            return "no deployment is registered"
        if not await prefect.workers(deployment.pool, datetime.now(UTC)):
            return "no worker is there"
        return deployment


async def order(deployment: Deployment, call: Mapping[str, Any], by: Requester) -> tuple[FlowRun, str]:
    """Create the run and keep who asked for it; the sentence says why that is not in the audit, or is empty."""
    async with prefectapi.orders() as prefect:
        run = await prefect.create(deployment, call, key=f"cli-{uuid4()}", tags=("cli",), checked=False)
    return run, await _remember(run.id, by)


async def followed(console: Console, run: str) -> tuple[Run, Outcome | None]:
    """Show the run until it has ended."""
    async with prefectapi.runs() as runs:
        return await Follower(runs, console).to_the_end(run)


async def _remember(run: str, by: Requester) -> str:
    from tasks import ballot

    # Its gates must know whom they may not let approve it; one who is not proven is nobody to them.
    if by.proven:
        await ballot.asked(run, by.name, "cli")
        return ""
    return await audited.asked(by, "ask", run)
