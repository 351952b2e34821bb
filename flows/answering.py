"""How a run in a region's worker hears its release and answers: its orders, its lock's lease, the other regions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from uuid import UUID

from release.errors import Unavailable
from release.outcome import RegionResult
from release.relay import Said, Told, Trouble
from tasks import stop
from tasks.relay import Line

_LISTEN = 0.5
_BEAT = 5.0
# How long the last word is tried, while the Prefect server does not answer.
_LAST = 120.0


class Answering:
    """Keeps this process's sign as the release tells it, and tells the release how the region is.

    The lock's lease is kept by the release: where it is not heard any more, nothing is done here once that lapses.
    """

    def __init__(self, sign: stop.Stop, orders: UUID, words: UUID) -> None:
        self._sign = sign
        self._orders, self._words = Line(Told, orders), Line(Said, words)
        self._told, self._said = Told(0.0), Said(beat=1)
        self._news = asyncio.Event()

    async def listen(self) -> None:
        """Until cancelled; the first time at once."""
        while True:
            await self.hear()
            await asyncio.sleep(_LISTEN)

    async def hear(self) -> None:
        """Take over what the release says now."""
        with suppress(Unavailable):
            self._told = await self._orders.read()
            self._sign.steering, self._sign.lapses = self._told.steering, self._told.lapses
            if self._told.stop:
                self._sign.now(self._told.stop, lost_lock=self._told.lost)
        if time.time() > self._told.lapses:
            self._sign.now("the release was not heard for as long as its lock is held.", lost_lock=True)

    async def speak(self) -> None:
        """Until cancelled: news at once, else that it lives."""
        failing = asyncio.create_task(self._sign.event.wait())
        try:
            while True:
                if failing.done() and not self._told.stop:
                    self._said = replace(self._said, failed=True)
                with suppress(Unavailable):
                    await self._words.write(self._said)
                self._said = replace(self._said, beat=self._said.beat + 1)
                news = asyncio.create_task(self._news.wait())
                waits = {news} if failing.done() else {news, failing}
                await asyncio.wait(waits, timeout=_BEAT, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                self._news.clear()
        finally:
            failing.cancel()

    async def reached(self, region: str, weight: int, check: Callable[[], None]) -> None:
        """As `flows.lockstep.Lockstep.reached`, with the regions that are elsewhere."""
        self._said = replace(self._said, reached=max(self._said.reached, weight))
        self._news.set()
        while min((self._told.weights or {region: 0}).values()) < weight:
            stop.check(region)
            check()
            await asyncio.sleep(_LISTEN / 2)

    async def end(self, *, result: RegionResult | None = None, trouble: Trouble | None = None) -> None:
        """The last word, tried for two minutes."""
        self._said = replace(self._said, result=result, trouble=trouble, beat=self._said.beat + 1)
        ends = time.monotonic() + _LAST
        while True:
            try:
                return await self._words.write(self._said)
            except Unavailable:
                if time.monotonic() > ends:
                    raise
                await asyncio.sleep(_LISTEN)


@asynccontextmanager
async def answering(orders: UUID, words: UUID) -> AsyncIterator[Answering]:
    """Hear and answer while the block runs."""
    with stop.stopping() as sign:
        line = Answering(sign, orders, words)
        await line.hear()
        tasks = [asyncio.create_task(one()) for one in (line.listen, line.speak)]
        try:
            yield line
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
