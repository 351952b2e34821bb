"""`tidegate maintenance off`: a person ends a maintenance mode that a dead release left."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from config import load
from deployments.cli import who
from release.environment import Region
from release.errors import TidegateError, Unavailable
from release.people import Requester

app = typer.Typer(help="Maintenance mode, as a release switches it on and off.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Maintenance mode, as a release switches it on and off."""


@app.command()
def off(
    environment: Annotated[str, typer.Argument(help="development, staging or production.")] = "production",
    person: who.As = None,
) -> None:
    """Switch maintenance mode off in every region of an environment, whoever switched it on.

    Example: `tidegate maintenance off production`.
    """
    failed, note = asyncio.run(_off(environment, who.operator(person)))
    who.noted(note)
    if failed:
        raise Unavailable(
            " ".join(failed),
            next_step="Try again; where it cannot be switched off, it lapses by itself when it is due.",
        )
    typer.echo(f"Maintenance mode is off in {environment}.")


async def _off(name: str, by: Requester) -> tuple[list[str], str]:
    """What went wrong, region by region, and why it is not in the audit; every region is tried."""
    from clients.cluster import Cluster
    from deployments import audited

    settings = load.settings()
    kubeconfig = settings.kubeconfig.expanduser()

    async def one(region: Region) -> str:
        try:
            async with Cluster(kubeconfig, region.context, region.namespace, switch=region.traffic) as cluster:
                await cluster.set_maintenance(settings.application.name, None)
        except TidegateError as error:
            return f"{region.name}: {error.what}"
        return ""

    found = await asyncio.gather(*(one(region) for region in load.environment(name).regions.values()))
    failed = [problem for problem in found if problem]
    return failed, await audited.write(by, "maintenance off", "", {"environment": name, "failed": failed})
