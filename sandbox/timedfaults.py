"""Faults that end by themselves, and what the page shows of those that are on."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from sandbox.faults import Faults

Key = tuple[str, str | None]


class TimedFaults:
    """`Faults` with an end."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._ends: dict[Key, tuple[float, asyncio.Task[None]]] = {}

    async def set(
        self, name: str, mode: str, region: str | None, seconds: float | None, /, **parameters: float
    ) -> None:
        """Switch it on, for `seconds` or until it is cleared. Parameters, and what is refused: see `Faults.set`."""
        await self._faults.set(name, mode, region, **parameters)
        key = (name, region)
        self._forget(key)
        if seconds and mode != "ok":
            self._ends[key] = (time.monotonic() + seconds, asyncio.create_task(self._end(key, seconds)))

    async def clear(self) -> None:
        """End all."""
        self.stop()
        await self._faults.clear()

    def stop(self) -> None:
        """Nothing ends by itself any more."""
        for key in list(self._ends):
            self._forget(key)

    def state(self) -> list[dict[str, Any]]:
        """The faults that are on: name, region, mode, remaining (seconds, None without an end)."""
        # A region's gateway has a proxy for each of its listeners, which fail together.
        on = {(each["name"], each["region"]): each["mode"] for each in self._faults.state() if each["mode"] != "ok"}
        return [
            {"name": name, "region": region, "mode": mode, "remaining": self._remaining(name, region)}
            for (name, region), mode in on.items()
        ]

    def _remaining(self, name: str, region: str | None) -> float | None:
        ends = [self._ends[key][0] for key in ((name, region), (name, None)) if key in self._ends]
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    async def _end(self, key: Key, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._ends.pop(key, None)
        await self._faults.set(key[0], "ok", key[1])

    def _forget(self, key: Key) -> None:
        known = self._ends.pop(key, None)
        if known is not None:
            known[1].cancel()
