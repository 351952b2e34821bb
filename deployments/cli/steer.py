"""`tidegate abort | hold | resume | promote`: a person steers a release that is under way."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from deployments.cli import who
from release.people import Requester
from release.steering import What

Run = Annotated[str, typer.Argument(help="The run's id, or its beginning, as `tidegate status` shows it.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with your name.")]


def abort(run: Run, reason: Reason, person: who.As = None) -> None:
    """End a release and take back what it changed; one that waits in the queue or at its gates just ends.

    Example: `tidegate abort 3f2a --reason "wrong version"`.
    """
    _tell(run, "abort", reason, person)


def hold(run: Run, reason: Reason = "", person: who.As = None) -> None:
    """Stop a release where it is; a canary keeps its weight and its guard. `tidegate resume` lets it go on.

    Example: `tidegate hold 3f2a --reason "let us look first"`.
    """
    _tell(run, "hold", reason, person)


def resume(run: Run, reason: Reason = "", person: who.As = None) -> None:
    """Let a held release go on.

    Example: `tidegate resume 3f2a`.
    """
    _tell(run, "resume", reason, person)


def promote(run: Run, reason: Reason = "", person: who.As = None) -> None:
    """Take the verdict upon yourself: the canary goes on without waiting for evidence in its favour.

    Example: `tidegate promote 3f2a --reason "the errors are known"`.
    """
    _tell(run, "promote", reason, person)


def _tell(run: str, what: What, reason: str, person: str | None) -> None:
    told, note = asyncio.run(_give(run, what, reason, who.operator(person)))
    typer.echo(f"{what}: {told} Next: `tidegate status` shows what it does.")
    who.noted(note)


async def _give(run: str, what: What, reason: str, by: Requester) -> tuple[str, str]:
    from deployments import audited, orders

    given = await orders.give(run, what, by.name, reason)
    return given.told, await audited.write(by, what, given.run, {"reason": reason})
