"""Running a flow in this process, on the Prefect server of the settings, with its lines shown live."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rich.console import Console

from deployments import audited
from deployments.cli import who
from release.people import Requester
from tasks import logs, proof

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun


async def run(pipeline: str, call: Mapping[str, Any], by: Requester, console: Console) -> tuple[str, str, Any]:
    """Run the flow of that name, as `by` asks, to its end: its state's name and message, and what it told."""
    _show_lines(console)
    # Lines for a program are JSON, and nothing else is among them.
    console.quiet = logs.wanted()
    proof.in_place.set(by.name if by.proven else None)
    flow = getattr(import_module(f"flows.{pipeline}"), pipeline)

    async def write(_flow: Any, flow_run: FlowRun, _state: Any) -> None:
        # As soon as it runs: whoever kills it did ask for it.
        who.noted(await audited.asked(by, f"run {pipeline}", str(flow_run.id)))

    state = await flow.with_options(on_running=[write])(**call, return_state=True)
    return str(state.name), str(state.message or ""), await state.aresult(raise_on_failure=False)


class _Lines(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        if not getattr(record, "tidegate", False):
            return
        moment = self.formatter.formatTime(record, "%H:%M:%S") if self.formatter else ""
        style = "yellow" if record.levelno >= logging.WARNING else ""
        line = f"{moment}  {record.getMessage()}"
        self._console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


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
