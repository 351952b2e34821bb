"""`tidegate guard`: the rollback window after a release."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.cli import runner, who
from deployments.cli.release import Here, Json


def guard(
    environment: Annotated[str, typer.Argument(help="The environment to watch.")] = "production",
    here: Here = False,
    as_json: Json = False,
) -> None:
    """Watch what is live until its rollback window ends; page, or take it back, above the limit.

    The release stands whatever becomes of the watch. Example: `tidegate guard production`.
    """
    runner.run("guard", {"environment": environment}, who.caller(), here=here, as_json=as_json)
