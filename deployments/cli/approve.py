"""`tidegate approve`: a person lets a release pass its gates or refuses it, and proves who he is by a one-time code."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from deployments.cli import who


def approve(
    run: Annotated[str, typer.Argument(help="The waiting run's id, or its beginning, as `tidegate status` shows it.")],
    person: Annotated[
        str | None, typer.Option("--as", help="Your name in `people`; by default who you are here.")
    ] = None,
    reject: Annotated[bool, typer.Option("--reject", help="Refuse the release instead.")] = False,
    reason: Annotated[str, typer.Option(help="Why; it is kept with your name. A rejection needs one.")] = "",
) -> None:
    """Approve a release that waits at its gates, or reject it.

    Your one-time code is asked for at the terminal, or read from the variable TIDEGATE_CODE; it is never an argument.

    Example: `tidegate approve 3f2a`, or `tidegate approve 3f2a --reject --reason "not before the sale ends"`.
    """
    from deployments import voting

    decision = "reject" if reject else "approve"
    cast = asyncio.run(voting.by_code(run, person or who.actor(), who.code(), decision, reason))
    typer.echo(voting.told(cast))
