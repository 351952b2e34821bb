"""Regions of one wave that take a canary's steps together: none goes on before all have accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tasks import stop


class Lockstep:
    """`reached` returns once every region of the wave has reached that weight, or raises when the release stops."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        self._at = dict.fromkeys(regions, 0)
        self._moved = asyncio.Condition()

    async def reached(self, region: str, weight: int, check: Callable[[], None]) -> None:
        """This region accepts the version at `weight`; wait for the others. Raises as `stop.check` and `check`."""
        async with self._moved:
            self._at[region] = max(self._at[region], weight)
            self._moved.notify_all()
            while min(self._at.values()) < weight:
                stop.check(region)
                check()
                try:
                    await asyncio.wait_for(self._moved.wait(), timeout=0.25)
                except TimeoutError:
                    continue
