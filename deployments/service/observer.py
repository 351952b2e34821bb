"""One observer for all who look: it looks at the world, folds the board, and tells everybody what changed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Self

from release import board
from release.board import Board
from release.board_seen import Seen
from release.errors import TidegateError

log = logging.getLogger("tidegate.board")
# What one part saw, laid over what was seen before.
Change = Callable[[Seen], Seen]
Look = Callable[[Seen], Awaitable[Change]]
# Seconds between two looks while nobody looks, and after an error of our own.
IDLE = 15.0
_AFTER_BUG = 10.0
# A page that was asked for counts as somebody who looks for so long: its stream is about to begin.
_LINGERS = 30.0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the world. `look` takes what was seen so far; `every` says after how many seconds it looks again."""

    name: str
    look: Look
    every: Callable[[Seen], float]


class Observer:
    """`async with Observer(parts, seen) as observer`. `board` is the newest, `version` grows with each that differs."""

    def __init__(
        self, parts: Sequence[Part], seen: Seen, *, clock: Callable[[], float] = time.time, idle: float = IDLE
    ) -> None:
        self._parts, self._clock, self._idle = parts, clock, idle
        self._seen = seen
        self.board: Board = board.fold(seen)
        # Not from 0: after a restart, a page of before must not take another board for its own.
        self.version = time.time_ns() // 1_000_000
        self._looked: dict[str, asyncio.Event] = {part.name: asyncio.Event() for part in parts}
        self._changed = asyncio.Event()
        self._soon = asyncio.Event()
        self._watchers = 0
        self._asked = -_LINGERS
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._follow(part)) for part in self._parts]
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def ready(self, within: float) -> None:
        """Returns once every part was looked at, or after so many seconds; then what is missing is shown as such."""
        self._ask()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                for event in self._looked.values():
                    await event.wait()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """While somebody watches, it looks often."""
        self._ask()
        self._watchers += 1
        try:
            yield
        finally:
            self._watchers -= 1
            self._asked = time.monotonic()

    async def changed(self, since: int, within: float) -> bool:
        """Whether there is another board than that of version `since`, as soon as there is, or after `within` s."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self.version == since:
                    await self._changed.wait()
        return self.version != since

    def now(self) -> float:
        """The time that what is shown counts from, in seconds since the epoch."""
        return self._clock()

    def refresh(self) -> None:
        """Look at everything now: something was done."""
        soon, self._soon = self._soon, asyncio.Event()
        soon.set()

    def _ask(self) -> None:
        idle = not self._busy()
        self._asked = time.monotonic()
        if idle:
            self.refresh()

    def _busy(self) -> bool:
        return self._watchers > 0 or time.monotonic() - self._asked < _LINGERS

    async def _follow(self, part: Part) -> None:
        while True:
            pause = 0.0
            try:
                self._take(part, await part.look(self._seen), None)
            except TidegateError as error:
                self._take(part, None, error.what)
            except Exception:  # one part's mistake must not darken the whole board
                log.exception("the board could not look at %s", part.name)
                self._take(part, None, "an error of Tidegate itself; its log has it")
                pause = _AFTER_BUG
            self._looked[part.name].set()
            pause = max(pause, part.every(self._seen) if self._busy() else self._idle)
            with suppress(TimeoutError):
                # Not wait_for: it may swallow the cancellation that ends us.
                async with asyncio.timeout(pause):
                    await self._soon.wait()

    def _take(self, part: Part, change: Change | None, silent: str | None) -> None:
        """Lay what was seen over the rest, and fold the board anew."""
        seen = change(self._seen) if change is not None else self._seen
        said: Mapping[str, str] = {name: why for name, why in seen.silent.items() if name != part.name}
        self._seen = replace(seen, at=self._clock(), silent={**said, part.name: silent} if silent else said)
        new = board.fold(self._seen)
        if replace(new, at=self.board.at) != self.board:
            self.version += 1
            changed, self._changed = self._changed, asyncio.Event()
            self.board = new
            changed.set()
        else:
            self.board = new
