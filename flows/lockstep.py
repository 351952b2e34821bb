"""Regions of one wave that take a canary's steps together: none goes on before all have accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from tasks import stop


class Together(Protocol):
    """What takes the steps of several regions as one."""

    async def reached(self, region: str, weight: int, check: Callable[[], None]) -> None:
        """This region accepts the version at `weight`; wait for the others. Raises as `stop.check` and `check`."""


class Lockstep:
    """`reached` returns once every region of the wave has reached that weight, or raises when the release stops."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        self._at = dict.fromkeys(regions, 0)
        self._moved = asyncio.Condition()

    @property
    def at(self) -> Mapping[str, int]:
        """Region -> the weight that it has accepted, 0 before the first."""
        return dict(self._at)

    def note(self, region: str, weight: int) -> None:
        """A region that is worked on elsewhere accepts the version at `weight`; it waits there."""
        self._at[region] = max(self._at[region], weight)

    async def reached(self, region: str, weight: int, check: Callable[[], None]) -> None:
        """As `Together` has it."""
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
