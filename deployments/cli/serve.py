"""`tidegate serve`: the service alone, with a worker, or with everything that one machine needs."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from release.errors import Refused


def serve(
    everything: Annotated[
        bool, typer.Option("--all", help="Also the Prefect server over a PostgreSQL of its own, and a worker.")
    ] = False,
    worker: Annotated[bool, typer.Option("--worker", help="Also a worker, for the Prefect server there is.")] = False,
) -> None:
    """Answer GitHub's and Slack's webhooks and turn them into runs, until SIGTERM or Ctrl-C.

    With --all, one machine is enough: whatever dies is started again, and waiting runs outlive a restart.

    Example: `tidegate serve --all`.
    """
    if everything and worker:
        raise Refused("--all has a worker already.", field="--worker", next_step="Give one of the two.")
    if everything or worker:
        from deployments.machine.main import keep_up

        asyncio.run(keep_up(server=everything, say=lambda line: typer.echo(line)))
        return
    from deployments import prefectapi

    # Before Prefect is imported, which may hold secrets of the settings.
    os.environ["PREFECT_API_URL"] = prefectapi.place()[0]
    from deployments.service.main import serve

    asyncio.run(serve())
