"""A command that runs a pipeline: on a worker where one is there, else in this process; and how its end is shown."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from config import load
from deployments.cli import detached, who
from deployments.cli.show import table
from release import tables
from release.errors import Unavailable
from release.outcome import Outcome
from release.people import Requester

if TYPE_CHECKING:
    from clients.prefect_api import Deployment

_STYLES = {"released": "green", "built": "green", "unchanged": "green", "recovered": "yellow"}
_INTERRUPTED = 130
# How a run ended: its state's name and message, and its Outcome where it told one.
Ended = tuple[str, str, Any]


def run(pipeline: str, call: Mapping[str, Any], by: Requester, *, here: bool = False, as_json: bool = False) -> None:
    """Run the pipeline of that name with `call`, as `by` asks, show it and its end, and leave with its exit code.

    It runs on a worker, which a closed laptop does not stop; in this process if asked to (`here`), and where no
    worker is there. Raises Unavailable where the settings' Prefect server does not answer.
    """
    prepare()
    console = Console(stderr=as_json)
    if load.settings().target == "sandbox":
        console.print("target: the sandbox (nodes, users, GitHub and Slack are simulated)", style="dim")
    name, message, outcome = _ended(pipeline, {**call, "actor": by.name}, by, console, here)
    if not isinstance(outcome, Outcome):
        console.print(f"the run ended as {name}: {message}", style="red", markup=False)
        raise typer.Exit(1)
    if as_json:
        Console().print_json(data=outcome.as_dict())
    _show_end(console, outcome)
    if outcome.window and outcome.pipeline != "guard":
        console.print(detached.watched(outcome), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(outcome.exit_code)


def prepare() -> None:
    """Point Prefect at the settings' server, before it is imported. Raises Unavailable when that does not answer."""
    import httpx

    from clients.trust import authorities

    api = load.settings().prefect.api
    if api is None:
        return
    os.environ["PREFECT_API_URL"] = api
    os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
    try:
        httpx.get(f"{api}/health", timeout=5, verify=authorities(), trust_env=False).raise_for_status()
    except httpx.HTTPError:
        raise Unavailable(
            f"the Prefect server at {api} does not answer.",
            field="prefect.api",
            next_step="Start it (`tidegate sandbox up` where this is the sandbox), then run the command again.",
        ) from None


def _ended(pipeline: str, call: Mapping[str, Any], by: Requester, console: Console, here: bool) -> Ended:
    if not here and "PREFECT_API_URL" in os.environ:
        from deployments.cli import ordered

        deployment = asyncio.run(ordered.worker_for(pipeline))
        if not isinstance(deployment, str):
            return _on_worker(deployment, call, by, console)
        console.print(f"{deployment}: it runs in this process, and ends with it", style="dim")
    from deployments.cli import inplace

    return asyncio.run(inplace.run(pipeline, call, by, console))


def _on_worker(deployment: Deployment, call: Mapping[str, Any], by: Requester, console: Console) -> Ended:
    from deployments.cli import ordered

    ordered_run, note = asyncio.run(ordered.order(deployment, call, by))
    who.noted(note)
    run = ordered_run.id[:8]
    console.print(
        f"run {run} ({ordered_run.name}) goes to a worker. Ctrl-C leaves it running; `tidegate watch {run}` shows it "
        f"again, `tidegate abort {run} --reason TEXT` ends it.",
        style="dim",
        soft_wrap=True,
    )
    try:
        ended, outcome = asyncio.run(ordered.followed(console, ordered_run.id))
    except KeyboardInterrupt:
        console.print(
            f"the run goes on. Next: `tidegate watch {run}` shows it, `tidegate abort {run} --reason TEXT` ends it.",
            style="yellow",
            soft_wrap=True,
        )
        raise typer.Exit(_INTERRUPTED) from None
    return ended.state, ended.message, outcome


def _show_end(console: Console, outcome: Outcome) -> None:
    style = _STYLES.get(outcome.word, "red")
    console.print(f"\n{outcome.pipeline} {outcome.version}: {outcome.word}", style=f"bold {style}")
    met = (("Users met", str(one)) for one in outcome.harm)
    for title, text in (("Why", outcome.reason), *met, ("Next", outcome.next_step)):
        if text:
            console.print(f"{title}: {text}", markup=False, highlight=False, soft_wrap=True)
    for warning in outcome.warnings:
        console.print(f"! {warning}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    head = ("region", "outcome", "live", "ready", "took", "reason")
    rows = tables.region_table(outcome.regions)
    table(console, head, ([str(row[key]) for key in head] for row in rows))
