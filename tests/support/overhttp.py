"""A fake that answers at httpx' transport, on a port of loopback: for code that makes its own client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from aiohttp import web


@asynccontextmanager
async def served(transport: httpx.AsyncBaseTransport) -> AsyncIterator[str]:
    """Its address, without a slash."""

    async def handle(request: web.Request) -> web.Response:
        asked = httpx.Request(request.method, str(request.url), content=await request.read())
        answer = await transport.handle_async_request(asked)
        return web.Response(status=answer.status_code, body=answer.content, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
