"""GitHub's rate limits, respected: while one lasts nothing is asked, as GitHub wants it."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Hashable
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
from githubkit.exception import GitHubException, RateLimitExceeded, RequestError, RequestFailed
from githubkit.retry import RetryOption
from githubkit.throttling import BaseThrottler

# Seconds that a call waits for a limit's end; a longer one is told at once.
PATIENCE = 60.0
# What GitHub asks for where it does not say how long.
_UNSAID = 60.0
# githubkit takes nothing as a minute: the wait itself is the next turn's.
_AT_ONCE = timedelta(microseconds=1)


@dataclass(slots=True)
class Limit:
    """Until when, by `now` in seconds, nobody asks."""

    until: float = 0.0
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    @property
    def left(self) -> float:
        return self.until - self.now()


@functools.cache
def limit_of(url: str, credential: Hashable) -> Limit:
    """The one limit that this process knows of a GitHub and a credential."""
    del url, credential
    return Limit()


class Limited(Exception):
    """Nothing was asked: the limit ends in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class Turns(BaseThrottler):
    """Before a request, wait up to `patience` seconds for the limit's end, or raise Limited; after a refusal for the
    limit, ask once more where that wait is short enough."""

    def __init__(self, limit: Limit, patience: float) -> None:
        self._limit, self._patience = limit, patience

    @contextmanager
    def acquire(self, request: httpx.Request) -> Generator[None, None, None]:
        raise NotImplementedError(request.url)
        yield

    @asynccontextmanager
    async def async_acquire(self, request: httpx.Request) -> AsyncGenerator[None, None]:
        del request
        left = self._limit.left
        if left > self._patience:
            raise Limited(left)
        if left > 0:
            await self._limit.sleep(left)
        yield

    def again(self, error: GitHubException, asked: int) -> RetryOption:
        """githubkit's question after a failure; `asked` counts from 0."""
        seconds = seconds_of(error)
        if seconds is None:
            return RetryOption(do_retry=False)
        self._limit.until = max(self._limit.until, self._limit.now() + seconds)
        return RetryOption(asked == 0 and seconds <= self._patience, _AT_ONCE)


def seconds_of(error: Exception) -> float | None:
    """How long GitHub does not want to be asked; None for another failure."""
    if isinstance(error, RateLimitExceeded):
        # Its clock tells whole seconds.
        return max(1.0, error.retry_after.total_seconds())
    if isinstance(error, RequestFailed):
        status = error.response.status_code
        return _UNSAID if status == 429 or (status == 403 and "secondary rate limit" in error.response.text) else None
    if isinstance(error, RequestError) and isinstance(error.exc, GitHubException):
        return seconds_of(error.exc)
    return None
