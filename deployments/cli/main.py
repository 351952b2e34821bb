"""The command line: `tidegate`. Rooms add command groups by the entry point group `tidegate.commands`."""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points
from typing import Annotated

import typer
from rich.console import Console

from deployments.cli import (
    approve,
    doctor,
    drift,
    emergency,
    guard,
    history,
    init,
    lock,
    maintenance,
    person,
    plan,
    quarantine,
    release,
    report,
    revert,
    serve,
    status,
    steer,
    verdict,
    watch,
)
from release.errors import TidegateError
from tasks import logs

app = typer.Typer(
    name="tidegate",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Release an application: build once, promote by digest, deploy region by region, take it back when it is bad."
    "\n\nExit codes: 0 done or nothing to do, 1 our own fault, 2 refused, 3 failed or brought back, 4 halted, "
    "5 an outside system did not answer, 130 interrupted.",
)


@app.callback()
def options(
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Write a run's lines as JSON, one object a line.")
    ] = False,
) -> None:
    """What holds for every command."""
    if log_json:
        os.environ[logs.WANTED] = "1"


app.command()(init.init)
app.command()(plan.plan)
app.command()(release.develop)
app.command()(release.stage)
app.command()(release.release)
app.command()(emergency.hotfix)
app.command()(emergency.rollback)
app.command()(emergency.retire)
app.command()(approve.approve)
app.command()(guard.guard)
app.command()(drift.drift)
app.command()(verdict.verdict)
app.command()(status.status)
app.command()(watch.watch)
app.command()(history.history)
app.command()(doctor.doctor)
app.command()(report.report)
app.command()(revert.revert)
app.command()(lock.unlock)
app.command()(serve.serve)
app.command()(person.person)
app.add_typer(maintenance.app, name="maintenance")
app.add_typer(quarantine.app, name="quarantine")
for _order in (steer.abort, steer.hold, steer.resume, steer.promote):
    app.command()(_order)


def run() -> None:
    """The console script. Ends with the documented exit codes; a person never sees a traceback for a known error."""
    for point in entry_points(group="tidegate.commands"):
        app.add_typer(point.load(), name=point.name)
    errors = Console(stderr=True)
    try:
        app()
    except TidegateError as error:
        errors.print(f"{error.outcome}: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        errors.print("interrupted: nothing more is done. Start the same command again to go on.", style="yellow")
        sys.exit(130)
