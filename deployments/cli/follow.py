"""Following a run of a deployment from the command line: its lines as they come, and its outcome at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.console import Console

from release.errors import Unavailable
from release.outcome import Outcome

if TYPE_CHECKING:
    from clients.prefect_runs import Line, Run, Runs

_EVERY_S = 0.5
# Lines of different processes arrive a little out of order.
_LATE = timedelta(seconds=5)
_LAST_LINES_S = 1.0
_BEARS_S = 180.0
# How long a run whose process is gone may take to be begun again elsewhere.
_AGAIN_S = 20.0
_WARNING = 30
# Prefect's own words about its runs are for its page.
_CHATTER = (
    "Beginning ",
    "Finished in state ",
    "View at ",
    "Created ",
    "Downloading ",
    "Opening ",
    "Worker '",
    "Flow run '",
)


class Follower:
    """Shows one run on a console, each line once. `every` so many seconds it looks; a server that does not answer for
    `bears` seconds is borne; a run whose process is gone may take `again` seconds to be begun elsewhere."""

    def __init__(
        self, runs: Runs, console: Console, *, every: float = _EVERY_S, bears: float = _BEARS_S, again: float = _AGAIN_S
    ) -> None:
        self._runs, self._console = runs, console
        self._every, self._bears, self._again = every, bears, again
        self._shown: set[tuple[str, str]] = set()
        self._newest = ""
        self._state = ""
        self._crashed: float | None = None

    async def to_the_end(self, run: str) -> tuple[Run, Outcome | None]:
        """The run as it ended, with what it told; None where it ended without telling."""
        away = 0.0
        while True:
            try:
                if (ended := await self._look(run)) is not None:
                    await asyncio.sleep(_LAST_LINES_S)
                    await self._look(run)
                    return ended, await self._outcome(run)
                away = 0.0
            except Unavailable as error:
                if away == 0.0:
                    self._say("the Prefect server does not answer; the run goes on without it for a while", "yellow")
                away += self._every
                if away > self._bears:
                    error.next_step = f"See that it runs; `tidegate watch {run[:8]}` shows the run again."
                    raise
            await asyncio.sleep(self._every)

    async def _look(self, run: str) -> Run | None:
        """Show what is new; the run once it is over."""
        found = await self._runs.run(run)
        if found is None:
            raise Unavailable("the run is gone from the Prefect server.", next_step="See `tidegate status`.")
        self._show_state(found)
        ids = [run, *(child.id for child in await self._runs.children(run))]
        self._show(await self._runs.log(ids, self._after()))
        return found if found.over and not self._may_go_on(found) else None

    def _may_go_on(self, run: Run) -> bool:
        """Whether its process is gone, and a worker may take it up."""
        if run.type != "CRASHED":
            self._crashed = None
            return False
        if self._crashed is None:
            self._crashed = time.monotonic()
            self._say("its process is gone; waiting for a worker to go on with it", "yellow")
        return time.monotonic() - self._crashed < self._again

    def _show(self, lines: Sequence[Line]) -> None:
        for line in lines:
            self._newest = max(self._newest, line.at)
            known = (line.at, line.text)
            if known not in self._shown and not line.text.startswith(_CHATTER):
                style = "yellow" if line.level >= _WARNING else ""
                moment = datetime.fromisoformat(line.at).astimezone().strftime("%H:%M:%S")
                self._say(f"{moment}  {line.text}", style)
            self._shown.add(known)

    def _after(self) -> str:
        if not self._newest:
            return ""
        return (datetime.fromisoformat(self._newest) - _LATE).astimezone(UTC).isoformat()

    def _show_state(self, run: Run) -> None:
        """Where it stands while it does not run: in the queue, at its gates."""
        if run.state != self._state and run.type in ("SCHEDULED", "PAUSED"):
            self._say(f"{run.state}: {run.message}".rstrip(": "), "dim")
        self._state = run.state

    async def _outcome(self, run: str) -> Outcome | None:
        told = (await self._runs.artifacts([run])).get("outcome")
        return Outcome.from_dict(told) if isinstance(told, dict) else None

    def _say(self, text: str, style: str) -> None:
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
