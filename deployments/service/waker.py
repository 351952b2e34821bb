"""Suspended runs begin again when somebody voted, whoever kept the vote, and also where its voter could not say so."""

from __future__ import annotations

import asyncio
import logging

from clients.ballots import Ballots
from clients.prefect_runs import Runs
from release.errors import TidegateError

_LOOK_EVERY_S = 2.0
_LONGEST_PAUSE_S = 15.0

log = logging.getLogger("tidegate.service")


class Waker:
    """Looks at the requests that wait in the store, and wakes the run of each that has a vote it has not seen."""

    def __init__(self, ballots: Ballots, runs: Runs) -> None:
        self._ballots, self._runs = ballots, runs
        self._seen: dict[str, float] = {}

    async def run(self) -> None:
        """For ever; it bears the database and Prefect being away, and Prefect not letting us in."""
        pause = _LOOK_EVERY_S
        while True:
            try:
                await self.look()
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
            newest = max((vote.at for vote in await self._ballots.votes(request.bound.key)), default=0.0)
            if newest > self._seen.get(request.run, 0.0) and await self._runs.wake(request.run):
                self._seen[request.run] = newest
