"""Running a flow in this process, on the Prefect server of the settings, with its lines shown live."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from config import load
from deployments.cli import detached
from release import messages
from release.errors import Unavailable
from release.outcome import Outcome
from tasks import logs

_STYLES = {"released": "green", "built": "green", "unchanged": "green", "recovered": "yellow"}


def prepare() -> None:
    """Point Prefect at the settings' server, before it is imported. Raises Unavailable when that does not answer."""
    import httpx

    api = load.settings().prefect.api
    if api is None:
        return
    os.environ["PREFECT_API_URL"] = api
    os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
    try:
        httpx.get(f"{api}/health", timeout=5, trust_env=False).raise_for_status()
    except httpx.HTTPError:
        raise Unavailable(
            f"the Prefect server at {api} does not answer.",
            field="prefect.api",
            next_step="Start it (`tidegate sandbox up` where this is the sandbox), then run the command again.",
        ) from None


def run(make: Callable[[], Awaitable[Any]], *, as_json: bool = False) -> None:
    """Run the flow that `make` calls, show its end, and leave with its exit code."""
    console = Console(stderr=as_json)
    if load.settings().target == "sandbox":
        console.print("target: the sandbox (nodes, users, GitHub and Slack are simulated)", style="dim")
    _show_lines(console)
    state, outcome = asyncio.run(_ended(make))
    if not isinstance(outcome, Outcome):
        console.print(f"the run ended as {state.name}: {state.message}", style="red", markup=False)
        raise typer.Exit(1)
    if as_json:
        Console().print_json(data=outcome.as_dict())
    _show_end(console, outcome)
    if outcome.window and outcome.pipeline != "guard":
        console.print(detached.watched(outcome), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(outcome.exit_code)


async def _ended(make: Callable[[], Awaitable[Any]]) -> tuple[Any, Any]:
    state = await make()
    return state, await state.aresult(raise_on_failure=False)


class _Lines(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        if not getattr(record, "tidegate", False):
            return
        moment = self.formatter.formatTime(record, "%H:%M:%S") if self.formatter else ""
        style = "yellow" if record.levelno >= logging.WARNING else ""
        self._console.print(f"{moment}  {record.getMessage()}", style=style, markup=False, highlight=False)


def _show_lines(console: Console) -> None:
    """Prefect's own console lines are for its page; people at the command line see ours."""
    from prefect.logging.configuration import setup_logging

    setup_logging()
    # It counts what is still to be sent to the server, at the end of every short run.
    logging.getLogger("prefect._internal").setLevel(logging.ERROR)
    handler: logging.Handler = _Lines(console)
    handler.setFormatter(logging.Formatter())
    if logs.wanted():
        handler = logging.StreamHandler()
        handler.setFormatter(logs.JsonLines())
    for name in (None, "prefect", "prefect.flow_runs", "prefect.task_runs"):
        logger = logging.getLogger(name)
        logger.handlers = [one for one in logger.handlers if type(one).__name__ != "PrefectConsoleHandler"]
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).addHandler(handler)


def _show_end(console: Console, outcome: Outcome) -> None:
    style = _STYLES.get(outcome.word, "red")
    console.print(f"\n{outcome.pipeline} {outcome.version}: {outcome.word}", style=f"bold {style}")
    for title, text in (("Why", outcome.reason), ("Next", outcome.next_step)):
        if text:
            console.print(f"{title}: {text}", markup=False, highlight=False, soft_wrap=True)
    for warning in outcome.warnings:
        console.print(f"! {warning}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if outcome.regions:
        table = Table("region", "outcome", "live", "ready", "took", "reason", box=box.SIMPLE_HEAD)
        for row in messages.region_table(outcome.regions):
            table.add_row(*(str(row[key]) for key in ("region", "outcome", "live", "ready", "took", "reason")))
        console.print(table)
