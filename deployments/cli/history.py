"""`tidegate history`: what was released, by whom, and how it ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from config import load
from deployments.cli.release import Json
from deployments.cli.show import moment, table
from release import messages
from release.errors import Refused

if TYPE_CHECKING:
    from clients.prefect_runs import Run

_PIPELINES = {
    "development": ("development",),
    "staging": ("staging",),
    "production": ("production", "hotfix", "rollback"),
}


def history(
    environment: Annotated[str | None, typer.Option(help="Only what changed this environment.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many, the newest first.")] = 20,
    as_json: Json = False,
) -> None:
    """List the runs of the pipelines, newest first: what, by whom, how it ended, how long it took, and why.

    Example: `tidegate history --environment production --limit 5`.
    """
    if environment is not None and environment not in _PIPELINES:
        known = ", ".join(_PIPELINES)
        raise Refused(
            f"there is no environment {environment!r}.", field="environment", next_step=f"Choose one of {known}."
        )
    names = _PIPELINES[environment] if environment else tuple(name for each in _PIPELINES.values() for name in each)
    runs = asyncio.run(_read(names, limit))
    if as_json:
        Console().print_json(data={"target": load.settings().target, "runs": [_plain(run) for run in runs]})
        return
    console = Console()
    head = ("run", "began (UTC)", "pipeline", "what", "outcome", "ran for", "why")
    table(console, head, (_row(run) for run in runs), short=True)
    if not runs:
        console.print("Nothing has run yet.")


async def _read(names: tuple[str, ...], limit: int) -> tuple[Run, ...]:
    from deployments import prefectapi

    async with prefectapi.runs() as runs:
        return await runs.newest(names, limit)


def _row(run: Run) -> tuple[str, ...]:
    took = messages.duration(run.seconds) if run.over else "-"
    return run.id[:8], moment(run.began), run.flow, run.name, run.state, took, " ".join(run.message.split())


def _plain(run: Run) -> dict[str, Any]:
    asked = run.parameters
    return {
        "run": run.id,
        "pipeline": run.flow,
        "what": run.name,
        "by": asked.get("actor", ""),
        "strategy": asked.get("strategy") or "",
        "outcome": run.state.lower(),
        "began": run.began,
        "ended": run.ended,
        "seconds": round(run.seconds, 1),
        "message": run.message,
    }
