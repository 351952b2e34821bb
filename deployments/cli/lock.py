"""`tidegate unlock`: a person takes a lock away, and that is written down."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from config import load
from deployments.cli import who
from release.locking import Held
from release.people import Requester


def unlock(
    environment: Annotated[str, typer.Argument(help="development, staging or production.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with your name.")],
    person: who.As = None,
) -> None:
    """Take the lock of an environment away from a release that is dead. A living one stops at once.

    Example: `tidegate unlock production --reason "the worker was lost"`.
    """
    held, note = asyncio.run(_break(environment, reason, who.operator(person)))
    if held is None:
        typer.echo(f"Nobody held the lock of {environment}.")
        return
    typer.echo(
        f"Taken from {held.holder.what} (started by {held.holder.who}, run {held.holder.run}). "
        f"Next: `tidegate status` shows what it left behind."
    )
    who.noted(note)


async def _break(name: str, reason: str, by: Requester) -> tuple[Held | None, str]:
    from clients.lock import Lock
    from deployments import audited

    settings, environment = load.settings(), load.environment(name)
    region = next(iter(environment.regions.values()))
    kubeconfig = settings.kubeconfig.expanduser()
    async with Lock(kubeconfig, region.context, region.namespace, settings.application.name) as lock:
        held = await lock.break_lock(by.name, reason)
    if held is None:
        return None, ""
    detail = {"environment": name, "reason": reason, "taken from": held.holder.what}
    return held, await audited.write(by, "unlock", held.holder.run, detail)
