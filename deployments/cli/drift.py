"""`tidegate drift`: what is live against what was recorded."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.cli import runner
from deployments.cli.release import Json, actor


def drift(
    environment: Annotated[str, typer.Argument(help="development, staging or production.")] = "production",
    as_json: Json = False,
) -> None:
    """Compare what is live, its digest, weights and values with what the last release recorded; mend nothing.

    Exit code 3 where something differs. Example: `tidegate drift production`.
    """
    runner.prepare()
    from flows.drift import drift as flow

    call = {"environment": environment, "actor": actor()}
    runner.run(lambda: flow(**call, return_state=True), as_json=as_json)
