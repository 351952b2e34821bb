"""Those of the sandbox's people who approve by code what waits, unless they are told not to.

They vote as people do, by `tasks.ballot`: each code counts once, and who asked cannot approve.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from pathlib import Path

from clients.ballots import Asked, Ballots
from clients.prefect_runs import Runs
from clients.store import Store
from release import gates_code
from release.errors import TidegateError
from sandbox.people import HELPERS, HELPERS_PERIOD
from tasks import ballot

_LOOK_S = 0.2


class People:
    """The helpers, once started: they look for requests that wait, and vote while `approving`."""

    def __init__(self, database: Path, prefect: str, codes: Mapping[str, str]) -> None:
        self._database, self._prefect, self._codes = database, prefect, codes
        self.approving = True
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the settings must point at this sandbox by now."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        while True:
            # The database may be away, or a code was used in this second.
            with contextlib.suppress(TidegateError):
                async with Store(self._database.read_text()) as store:
                    while True:
                        await self._look(Ballots(store))
                        await asyncio.sleep(_LOOK_S)
            await asyncio.sleep(_LOOK_S)

    async def _look(self, ballots: Ballots) -> None:
        for request in await ballots.waiting() if self.approving else ():
            # Broken glass takes somebody who may operate: a visitor.
            if not request.bound.break_glass:
                await self._approve(ballots, request)

    async def _approve(self, ballots: Ballots, request: Asked) -> None:
        cast = {vote.person for vote in await ballots.votes(request.bound.key) if vote.bound == request.bound}
        free = [name for name in HELPERS if name not in cast]
        voting = free[: max(0, request.needed - len(cast))]
        for name in voting:
            code = gates_code.code_at(self._codes[f"totp-{name}"], time.time(), HELPERS_PERIOD)
            await ballot.approve_by_code(request.run, name, code, "approve", "the sandbox's people", "sandbox")
        if voting:
            async with Runs(self._prefect) as runs:
                await runs.wake(request.run)
