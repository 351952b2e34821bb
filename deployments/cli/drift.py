"""`tidegate drift`: what is live against what was recorded."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.cli import runner, who
from deployments.cli.release import Here, Json


def drift(
    environment: Annotated[str, typer.Argument(help="development, staging or production.")] = "production",
    here: Here = False,
    as_json: Json = False,
) -> None:
    """Compare what is live, its digest, weights and values with what the last release recorded; mend nothing.

    Exit code 3 where something differs. Example: `tidegate drift production`.
    """
    runner.run("drift", {"environment": environment}, who.caller(), here=here, as_json=as_json)
