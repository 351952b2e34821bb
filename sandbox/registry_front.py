"""Credentials for a registry that has none of its own: a reverse proxy that asks for them."""

from __future__ import annotations

import base64
import hmac

import aiohttp
from aiohttp import web

from sandbox.ports import LOOPBACK

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"})
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Tidegate sandbox"', "Docker-Distribution-Api-Version": "registry/2.0"}
_NO_LIMIT = aiohttp.ClientTimeout(total=None)


class Front:
    """Listens on the loopback port `port` and passes what carries the credentials on to the port `behind`."""

    def __init__(self, port: int, behind: int, username: str, password: str) -> None:
        self._port = port
        self._behind = f"{LOOPBACK}:{behind}"
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._wanted = f"Basic {pair}"
        self._runner: web.AppRunner | None = None
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Raises OSError where the port is taken."""
        self._http = aiohttp.ClientSession(timeout=_NO_LIMIT, auto_decompress=False)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, auto_decompress=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._http is not None:
            await self._http.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), self._wanted.encode()):
            return web.json_response(
                {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]},
                status=401,
                headers=_CHALLENGE,
            )
        assert self._http is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        body = request.content if request.body_exists else None
        url = f"http://{self._behind}{request.path_qs}"
        async with self._http.request(request.method, url, data=body, headers=headers, allow_redirects=False) as behind:
            return await _passed_on(request, behind)


async def _passed_on(request: web.Request, behind: aiohttp.ClientResponse) -> web.StreamResponse:
    answer = web.StreamResponse(status=behind.status, reason=behind.reason)
    for name, value in behind.headers.items():
        if name.lower() not in _HOP:
            answer.headers.add(name, value)
    await answer.prepare(request)
    async for part in behind.content.iter_chunked(1 << 16):
        await answer.write(part)
    await answer.write_eof()
    return answer
