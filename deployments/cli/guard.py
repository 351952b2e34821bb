"""`tidegate guard`: the rollback window after a release."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.cli import runner
from deployments.cli.release import Json, actor


def guard(
    environment: Annotated[str, typer.Argument(help="The environment to watch.")] = "production", as_json: Json = False
) -> None:
    """Watch what is live until its rollback window ends; page, or take it back, above the limit.

    Ctrl-C ends the watch; the release stands. Example: `tidegate guard production`.
    """
    runner.prepare()
    from flows.guard import guard as watch

    call = {"environment": environment, "actor": actor()}
    runner.run(lambda: watch(**call, return_state=True), as_json=as_json)
