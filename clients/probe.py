"""One HTTP request to an application's address, as a user would make it."""

from __future__ import annotations

import httpx

from clients.trust import authorities
from release.errors import Unavailable


async def get(url: str, *, timeout: float, transport: httpx.AsyncBaseTransport | None = None) -> httpx.Response:
    """The answer, whatever its status; redirects are not followed. Raises Unavailable when there is none."""
    async with httpx.AsyncClient(timeout=timeout, transport=transport, verify=authorities(), trust_env=False) as client:
        try:
            return await client.get(url, headers={"User-Agent": "tidegate-probe"})
        except httpx.TimeoutException:
            raise Unavailable(f"{url} did not answer within {timeout:g} s.") from None
        except httpx.TransportError as error:
            raise Unavailable(f"{url} cannot be reached: {type(error).__name__}.") from None
