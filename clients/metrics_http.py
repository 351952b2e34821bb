"""How every provider of metrics is asked: one client a provider, and the same errors for all."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from clients.address import is_loopback, usable_token
from clients.trust import authorities
from release.errors import Refused, TidegateError, Unavailable

FIELD = "monitoring.url"


class Asker:
    """An address that answers questions about metrics. An async context manager.

    Raises Refused for an address that cannot be called, a bad token and a 3xx or 4xx answer; Unavailable for no
    answer within `timeout` seconds, 429, 5xx, and an answer that is not what was asked for.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout: float = 5.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {usable_token(token, 'monitoring.token')}"}
        self.url = url.rstrip("/")
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=timeout,
            transport=transport,
            verify=authorities(),
            trust_env=not is_loopback(url),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._client.aclose()

    async def text(self, url: str, query: Mapping[str, str] | None = None) -> str:
        """The answer's text."""
        return (await self._get(url, query)).text

    async def json(self, url: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """The answer's JSON object."""
        answer = await self._get(url, query)
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise unusable("its answer is not a JSON object")
        return body

    async def _get(self, url: str, query: Mapping[str, str] | None) -> httpx.Response:
        try:
            answer = await self._client.get(url, params=None if query is None else dict(query))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise Refused("This is not an address that can be called.", field=FIELD) from None
        except httpx.HTTPError as error:
            # Only the kind of error: its text can hold the address, and the address a secret.
            raise unusable(f"it cannot be reached ({type(error).__name__})") from None
        if not answer.is_success:
            raise _failure(answer.status_code)
        return answer


def unusable(why: str) -> Unavailable:
    """The error of a provider that cannot be used now."""
    return Unavailable(f"The metrics cannot be read: {why}.", next_step="Look at the monitoring; nothing is judged.")


def _failure(status: int) -> TidegateError:
    if status == 429 or status >= 500:
        return unusable(f"it answered {status}")
    what = "does not accept the token" if status in (401, 403) else "does not know what it was asked"
    name = "monitoring.token" if status in (401, 403) else FIELD
    return Refused(f"The monitoring {what} (it answered {status}).", field=name, next_step="Correct the setting.")
