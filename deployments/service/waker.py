"""Suspended runs begin again when somebody voted, whoever kept the vote, and also where its voter could not say so.

They begin again too when their request has expired, to refuse and to tell it; a request whose run has ended waits no
more, whoever ended it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import datetime

from clients.ballots import Ballots
from clients.prefect_runs import Run, Runs
from release import gates
from release.errors import TidegateError

_LOOK_EVERY_S = 2.0
_TIDY_EVERY_S = 10.0
# Clocks of two machines, and what was rounded.
_SURE_S = 2.0
_LONGEST_PAUSE_S = 15.0

log = logging.getLogger("tidegate.service")


class Waker:
    """Looks at the requests that wait in the store, and wakes the run of each that has a vote it has not seen."""

    def __init__(self, ballots: Ballots, runs: Runs) -> None:
        self._ballots, self._runs = ballots, runs
        self._seen: dict[str, float] = {}

    async def run(self) -> None:
        """For ever; it bears the database and Prefect being away, and Prefect not letting us in."""
        pause, tidied = _LOOK_EVERY_S, 0.0
        while True:
            try:
                await self.look()
                if time.monotonic() - tidied >= _TIDY_EVERY_S:
                    tidied = time.monotonic()
                    await self.tidy(time.time())
                pause = _LOOK_EVERY_S
            except TidegateError as error:
                log.warning("nobody is woken: %s", error)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            await asyncio.sleep(pause)

    async def look(self) -> None:
        """Wake whom a vote concerns. A run that is not suspended (yet) is asked again at the next look."""
        waiting = await self._ballots.waiting()
        self._seen = {run: at for run, at in self._seen.items() if run in {request.run for request in waiting}}
        for request in waiting:
            seen = self._seen.get(request.run, 0.0)
            fresh = [vote for vote in await self._ballots.votes(request.bound.key) if vote.at > seen]
            # Only a no is worth a process while the timer runs.
            no = any(vote.decision == "reject" for vote in fresh)
            if fresh and await self._runs.wake(request.run, timer=no):
                self._seen[request.run] = max(vote.at for vote in fresh)

    async def tidy(self, now: float) -> None:
        """Wake whose request has expired at `now` (seconds since the epoch), and close whose run has ended."""
        waiting = await self._ballots.waiting()
        runs = await self._runs.of([request.run for request in waiting])
        for request in waiting:
            run = runs.get(request.run)
            if run is None or run.over:
                # Its votes stay: who starts a killed release again finds them.
                await self._ballots.leave(request.run)
                if run is not None and run.type == "CANCELLED":
                    await self._ballots.end(request.bound.key, now, waiting=False)
            elif _expired(run, now):
                await self._runs.wake(request.run)


def _expired(run: Run, now: float) -> bool:
    return bool(run.kept) and now > datetime.fromisoformat(run.kept).timestamp() - gates.KEPT + _SURE_S
