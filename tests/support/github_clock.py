"""A rate limit of GitHub whose time passes by itself."""

from __future__ import annotations

from clients.github_limit import Limit


class Clock:
    """`limit` waits without waiting; `waited` are the seconds it was to wait."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.waited: list[float] = []
        self.limit = Limit(now=lambda: self.time, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.time += seconds
