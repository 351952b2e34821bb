"""What one caller may ask of the service: so many requests a second, bodies of so many bytes, in so many seconds."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from release.errors import Refused

BODY_WITHIN_S = 10.0
_CALLERS = 10_000
# A probe of the machine's own health is never turned away.
_FREE = frozenset({"/healthz", "/readyz"})


class TooLarge(Exception):
    """The body is larger than is read."""


async def body_of(request: Request, most: int) -> bytes:
    """The whole body. Raises TooLarge beyond `most` bytes (before it is read, where its length is announced),
    TimeoutError where it does not come in ten seconds, and Refused where it ends before its length."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and len(announced) < 20 and int(announced) > most:
        raise TooLarge
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise TooLarge
                chunks.append(chunk)
    except ClientDisconnect:
        raise Refused("the body ended before its length.", field="body") from None
    return b"".join(chunks)


class Buckets:
    """A bucket of `burst` requests for each caller, filled again with `rate` a second."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, float(burst), clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Take one; 0, or the seconds until there is one."""
        now = self._clock()
        left, at = self._left.pop(caller, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        self._left[caller] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > _CALLERS:
            self._left.popitem(last=False)
        return 0.0 if left >= 1 else (1 - left) / self._rate


class RateLimit:
    """ASGI middleware: 429 with Retry-After for a caller whose bucket is empty."""

    def __init__(self, app: ASGIApp, buckets: Buckets) -> None:
        self._app, self._buckets = app, buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _FREE:
            wait = self._buckets.take((scope.get("client") or ("unknown",))[0])
            if wait:
                headers = {"Retry-After": str(math.ceil(wait))}
                answer = JSONResponse({"error": "too many requests."}, status_code=429, headers=headers)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)
