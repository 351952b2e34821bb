"""A pod's status on its way to the API server: one write at a time, and none is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

MINOR = 0.25
"""Seconds: a state that is over sooner is not written, as a kubelet that looks once a second would miss it."""


class Writes:
    """Calls `write`, which writes the state of its moment where it is news, now or a little later.

    A write that has begun is ended even where its asker is not: the API server may apply one that was cut off
    after the next, and the older state would stand for good.
    """

    def __init__(self, write: Callable[[], Awaitable[None]]) -> None:
        self._write = write
        self._one = asyncio.Lock()
        self._later: asyncio.TimerHandle | None = None
        self._begun: set[asyncio.Task[None]] = set()

    async def now(self) -> None:
        """Returns when the state is written; what was to be written later is so too."""
        await asyncio.shield(self._begin())

    def later(self) -> None:
        """After MINOR seconds, unless `now` comes first."""
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(MINOR, self._begin)

    def stop(self) -> None:
        """Nothing is written any more."""
        self._forget_later()
        for task in self._begun:
            task.cancel()

    def _begin(self) -> asyncio.Task[None]:
        self._forget_later()
        task = asyncio.create_task(self._in_turn())
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
        return task

    def _forget_later(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None

    async def _in_turn(self) -> None:
        async with self._one:
            await self._write()
