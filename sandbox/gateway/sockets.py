"""The sockets of the Gateways' listeners: one HTTP server program, a port each, on the loopback only."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from urllib.parse import parse_qsl

from aiohttp import web

from sandbox.gateway.model import Reply, Request
from sandbox.gateway.traffic import Traffic

HOST = "127.0.0.1"
SERVER = "tidegate-sandbox (simulated gateway)"


class Sockets:
    """`failed` maps the ports that cannot be opened to the reason."""

    def __init__(self, traffic: Traffic) -> None:
        self.failed: dict[int, str] = {}
        self._traffic = traffic
        self._sites: dict[int, web.TCPSite] = {}
        # A client that hangs up cancels its handler, which counts it as 499.
        self._server = web.Server(self._serve, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.2)

    async def start(self) -> None:
        await self._runner.setup()

    async def stop(self) -> None:
        await self._runner.cleanup()
        self._sites.clear()

    async def listen(self, ports: Iterable[int]) -> None:
        """Listen on exactly `ports`."""
        wanted = set(ports)
        for port in set(self._sites) - wanted:
            await self._sites.pop(port).stop()
        self.failed = {}
        for port in wanted - set(self._sites):
            site = web.TCPSite(self._runner, HOST, port)
            try:
                await site.start()
            except OSError as error:
                self.failed[port] = f"port {port} on {HOST} cannot be opened: {error.strerror}"
                with contextlib.suppress(RuntimeError):
                    await site.stop()
            else:
                self._sites[port] = site

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        port = transport.get_extra_info("sockname")[1] if transport else 0
        entry = self._traffic.entries.get(port)
        if entry is None:
            return web.Response(status=404, text="no Gateway listens here any more\n")
        asked, begun = _request(request), time.monotonic()
        reply = self._traffic.arrive(entry, asked)
        try:
            await asyncio.sleep(reply.answer.seconds)
        except asyncio.CancelledError:
            self._traffic.leave(entry, asked, reply, time.monotonic() - begun)
            raise
        self._traffic.finish(entry, asked, reply, reply.answer.status, time.monotonic() - begun)
        return _response(reply)


def _request(request: web.BaseRequest) -> Request:
    path, _, query = request.raw_path.partition("?")
    return Request(
        path=path,
        method=request.method,
        host=request.host.rsplit(":", 1)[0],
        headers={name.lower(): value for name, value in request.headers.items()},
        query=dict(parse_qsl(query)) if query else {},
    )


def _response(reply: Reply) -> web.Response:
    answer = reply.answer
    headers = {"Content-Type": answer.content_type, "Server": SERVER, **reply.headers}
    return web.Response(status=answer.status, body=answer.body, headers=headers)
