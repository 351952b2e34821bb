"""A Prefect server's HTTP API for those who read: asked without waiting for Prefect's own import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

import httpx

from clients.address import is_loopback
from clients.trust import authorities
from release.errors import Refused, Unavailable

TIMEOUT = 10.0
# More than so many the server does not give at once.
PAGE = 200


class Given(TypedDict, total=False):
    """How a server is asked: `timeout` in seconds, `transport` in place of the network."""

    headers: Mapping[str, str] | None
    timeout: float
    transport: httpx.AsyncBaseTransport | None


def connection(
    api: str,
    *,
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """What asks the server whose API is at `api`; a proxy of the machine's is passed by where that is its own."""
    return httpx.AsyncClient(
        headers=dict(headers or {}),
        timeout=timeout,
        transport=transport,
        verify=authorities(),
        trust_env=not is_loopback(api),
    )


class PrefectServer:
    """`async with` one of its kinds; `api` ends in `/api`, `headers` hold a key where the server wants one.

    Every method raises Unavailable when the server does not answer, and Refused when it does not let us in.
    """

    def __init__(self, api: str, **given: Unpack[Given]) -> None:
        self.api = api.rstrip("/")
        self._http = connection(api, **given)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def _pages(self, path: str, body: Mapping[str, Any]) -> list[Any]:
        found: list[Any] = []
        while True:
            more = await self._ask("POST", path, {**body, "limit": PAGE, "offset": len(found)})
            found += more
            if len(more) < PAGE:
                return found

    async def _ask(self, method: str, path: str, body: Any = None, *, none_at: Sequence[int] = ()) -> Any:
        try:
            answer = await self._http.request(method, f"{self.api}/{path}", json=body)
        except httpx.HTTPError as error:
            raise self._silent(type(error).__name__) from error
        if answer.status_code in none_at:
            return None
        if answer.status_code in (401, 403):
            raise Refused(
                f"the Prefect server at {self.api} does not accept our credentials.",
                field="prefect.api",
                next_step="Set PREFECT_API_KEY or PREFECT_API_AUTH_STRING.",
            )
        if not answer.is_success:
            raise self._silent(f"it answered {answer.status_code}")
        try:
            return answer.json()
        except ValueError:
            raise self._silent("what answers is no Prefect server") from None

    def _silent(self, why: str) -> Unavailable:
        return Unavailable(
            f"the Prefect server at {self.api} does not answer ({why}).",
            field="prefect.api",
            next_step="Start it (`tidegate sandbox up` where this is the sandbox), then try again.",
        )
