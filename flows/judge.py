"""The verdict on a canary: polled beside the release's own steps, from before its first user to its last step."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Self

from release.environment import Environment, Region
from release.errors import Failed, Spared
from release.model import Slot
from release.strategy import other
from release.verdict import Cause, Kind, Verdict, advance, observe, past, start
from tasks import deploy, metrics, stop
from tasks.course import Course
from tasks.say import say
from tasks.verdicts import Log


class Judging:
    """One region's canary under judgement. `weight` is its share of the users, 0 before it has any. For `alone` seconds
    what is live has had them to itself: that is what the stable version was like before.

    Evidence against it counts from its first request on, whatever else the release is doing.
    """

    def __init__(
        self, environment: Environment, region: Region, canary: Slot, weight: int, version: str, alone: float = 0.0
    ) -> None:
        self.weight, self._alone = weight, alone
        self._region, self._canary = region, canary
        self._judged = environment.judged
        self._state = start(self._judged.policy)
        self._log = Log(region.name, self._judged.policy, f"{region.name}: v{version} beside what is live")
        self._latest: Verdict | None = None
        self._bad: Verdict | None = None
        self._looked = asyncio.Event()
        self._polling: asyncio.Task[None] | None = None
        self._read: metrics.Reader | None = None
        self._course = Course(environment.name, region)

    async def __aenter__(self) -> Self:
        self._polling = asyncio.create_task(self._poll())
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._polling is not None:
            self._polling.cancel()
            with suppress(asyncio.CancelledError):
                await self._polling
        self._course.end()
        await self._log.keep()

    async def verdict(self, weight: int) -> None:
        """Wait until the canary may leave this weight upwards. Raises Failed when it is bad, and as `stop.check`."""
        self.weight = weight
        paged = told = ""
        while True:
            self.check()
            stop.check(self._region.name)
            found = await self._next()
            self.check()
            if (order := stop.promoted()) is not None:
                say(f"promoted by {order.who}: {found.sentence}", region=self._region.name, warn=True)
                return
            if found.action is Kind.ADVANCE:
                say(found.sentence, region=self._region.name)
                return
            # Down to a trickle while it is under suspicion, and up again once that has passed.
            if found.action in (Kind.DROP, Kind.CONTINUE) and 0 < found.weight != self.weight:
                self.weight = found.weight
                await deploy.shift(self._region, self._canary, found.weight)
            if found.finding.page and paged != found.cause:
                paged = str(found.cause)
                await self._page(found.sentence)
            if found.kind is not Kind.CONTINUE and told != f"{found.kind} {found.cause}":
                told = f"{found.kind} {found.cause}"
                say(found.sentence, region=self._region.name, warn=True)

    def moved(self, slot: Slot, weight: int) -> None:
        """The split was changed: `slot` has `weight` percent now."""
        self.weight = weight if slot == self._canary else 100 - weight

    def check(self) -> None:
        """Raises Failed when the verdict was that the canary is bad, Spared where that was no evidence against it."""
        if self._bad is not None:
            # Users who did not come, or metrics that are down, say nothing of it.
            kind = Failed if self._bad.cause is Cause.BAD else Spared
            raise kind(
                self._bad.sentence,
                region=self._region.name,
                next_step="Mend the version; the verdict's counts are kept with the run.",
            )

    async def _page(self, sentence: str) -> None:
        if self._read is not None:
            await self._read.page(sentence)

    async def _next(self) -> Verdict:
        assert self._polling is not None, "use it as a context manager"
        if not self._polling.done():
            self._looked.clear()
            await self._looked.wait()
        if self._polling.done():
            await self._polling
        assert self._latest is not None
        return self._latest

    async def _poll(self) -> None:
        stable = other(self._canary)
        try:
            async with metrics.reader(self._region, self._judged.provider) as self._read:
                seconds = min(self._alone, self._judged.policy.history)
                known = await self._read.past(self._canary, stable, seconds)
                for entry in past(known, time.monotonic()):
                    self._state, found = advance(self._state, entry)
                    self._log.add(entry, found)
                while self._bad is None:
                    sample, now = await self._read(self._canary, stable), time.monotonic()
                    # With all the users, which it may have got meanwhile, there is nothing left to compare with:
                    # the guard watches from there on.
                    if self.weight >= 100:
                        return
                    self._state, entry = observe(self._state, sample, self.weight, now)
                    self._state, self._latest = advance(self._state, entry)
                    self._log.add(entry, self._latest)
                    self._course.tell(self._latest, self.weight, self._log.drawn)
                    if self._latest.action is Kind.ROLLBACK and self.weight > 0:
                        # Before anything else: at this very moment users still get its errors.
                        self._bad = self._latest
                        stop.fail(self._region.name)
                        say(self._bad.sentence, region=self._region.name, warn=True)
                    self._looked.set()
                    await asyncio.sleep(self._judged.poll)
        finally:
            self._looked.set()
