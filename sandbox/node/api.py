"""The node's way to the API server: plain JSON in and out, patient with a server that is away.

It goes through kubernetes.aio's transport, but past its models: making objects of every pod on every event would
cost more than all the rest of the node.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from sandbox.admin import Admin

Json = dict[str, Any]
MERGE = "application/merge-patch+json"
PARALLEL = 32
_TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=5)
_WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=90)


class Away(Exception):
    """The API server does not answer, or says to come again later."""


class Api:
    """Requests as cluster-admin, at most `PARALLEL` at once."""

    def __init__(self, admin: Admin) -> None:
        self._server = admin.server.rstrip("/")
        self._token = admin.token
        self._client = admin.client()
        # Else every request looks for a netrc file, in a thread.
        self._client.configuration.client_session_kwargs = {"trust_env": False}
        self._slots = asyncio.Semaphore(PARALLEL)

    async def close(self) -> None:
        await self._client.close()

    async def call(
        self, method: str, path: str, body: Json | None = None, kind: str = "application/json"
    ) -> tuple[int, Json]:
        """One request: (status, body), whatever the status; raises Away for no answer, 429 and 5xx."""
        async with self._slots:
            try:
                answer = await self._request(method, path, body, kind, _TIMEOUT)
                text = await answer.read()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise Away(type(error).__name__) from None
        if answer.status == 429 or answer.status >= 500:
            raise Away(f"{answer.status} on {method} {path}")
        try:
            return answer.status, json.loads(text) if text else {}
        except ValueError:
            raise Away(f"{answer.status} without JSON on {method} {path}") from None

    async def insist(
        self, method: str, path: str, body: Json | None = None, kind: str = "application/json"
    ) -> tuple[int, Json]:
        """Like `call`, again and again until the server answers."""
        pause = 0.1
        while True:
            try:
                return await self.call(method, path, body, kind)
            except Away:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)

    async def watch(self, path: str) -> AsyncIterator[Json]:
        """The events of one watch, to its end; raises Away when it breaks."""
        try:
            answer = await self._request("GET", path, None, "application/json", _WATCH_TIMEOUT)
            try:
                if answer.status != 200:
                    raise Away(f"{answer.status} on {path}")
                async for line in _lines(answer):
                    yield json.loads(line)
            finally:
                answer.close()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Away(type(error).__name__) from None

    async def _request(
        self, method: str, path: str, body: Json | None, kind: str, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        headers = {"Authorization": self._token_header(), "Content-Type": kind, "Accept": "application/json"}
        answer = await self._client.rest_client.request(
            method, self._server + path, headers=headers, body=body, _request_timeout=timeout
        )
        response: aiohttp.ClientResponse = answer.response
        return response

    def _token_header(self) -> str:
        return f"Bearer {self._token}"


async def _lines(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Lines of any length: aiohttp's own reader refuses those longer than its buffer."""
    rest = b""
    async for chunk in answer.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line
