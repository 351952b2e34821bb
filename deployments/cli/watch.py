"""`tidegate watch`: a run as it goes on, with bars; Ctrl-C ends the watching and nothing else."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from deployments.cli.show import moment
from release import messages

if TYPE_CHECKING:
    from clients.prefect_runs import Line
    from deployments.watching import RegionNow, View

_EVERY_S, _LAST_S = 1.0, 2.5
_LINES = 12
_WARNING = 30


def watch(
    run: Annotated[str, typer.Argument(help="The run's id, or its beginning, as `tidegate status` shows it.")],
) -> None:
    """Watch a run until it ends: its waves and regions, their users and pods as bars, the verdict's evidence, and its
    lines. Ctrl-C ends the watching, never the run. The exit code is the run's.

    Example: `tidegate watch 3f2a`.
    """
    raise typer.Exit(asyncio.run(_watch(Console(), run)))


async def _watch(console: Console, asked: str) -> int:
    from deployments import prefectapi, watching

    async with prefectapi.runs() as runs:
        view = watching.View(await watching.find(runs, asked))
        last: deque[Line] = deque(maxlen=_LINES)
        with Live(console=console, auto_refresh=False, transient=False) as live:
            looks_left = 2
            while looks_left:
                found = await watching.look(runs, view)
                # Its last lines come a moment after its end.
                looks_left -= found.exit_code is not None
                last.extend(found.lines)
                if console.is_terminal:
                    live.update(_picture(found, last), refresh=True)
                else:
                    _print(console, found.lines)
                # The next look asks for what came after the last line that was seen.
                view = found if found.lines else watching.View(found.run, found.regions, view.lines, found.exit_code)
                if looks_left:
                    await asyncio.sleep(_EVERY_S if found.exit_code is None else _LAST_S)
        console.print(f"{view.run.flow} {view.run.name}: {view.run.state.lower()}", style="bold")
        if view.run.message:
            console.print(view.run.message, markup=False, highlight=False, soft_wrap=True)
        return view.exit_code or 0


def _print(console: Console, lines: tuple[Line, ...]) -> None:
    for line in lines:
        console.print(f"{line.at[11:19]}  {line.text}", markup=False, highlight=False, soft_wrap=True)


def _picture(found: View, last: deque[Line]) -> Group:
    run = found.run
    head = f"{run.flow} {run.name}: {run.state.lower()}, began {moment(run.began)} UTC"
    took = f", {messages.duration(run.seconds)}" if run.seconds else ""
    table = Table("wave", "region", "state", "users", "", "pods", "evidence", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for one in found.regions:
        table.add_row(str(one.wave), one.region, one.state, *_bar(one), f"{one.ready}/{one.pods}", Text(one.evidence))
    lines = [
        Text(f"{line.at[11:19]}  {line.text}", style="yellow" if line.level >= _WARNING else "", no_wrap=True)
        for line in last
    ]
    return Group(Text(head + took, style="bold"), table, *lines)


def _bar(one: RegionNow) -> tuple[ProgressBar, str]:
    return ProgressBar(total=100, completed=one.users, width=20), f"{one.users} %"
