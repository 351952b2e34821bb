"""A Docker Engine that says what a test wants it to say, on a unix socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

Events = Sequence[Mapping[str, Any]]


@asynccontextmanager
async def fake_engine(
    folder: Path, *, build: Events = (), push: Events = (), hangs: bool = False, near: bool = False
) -> AsyncIterator[str]:
    """Its address. It lets everybody in, streams these events, and after those of a build says no more. It asks the
    registry that it logs in to where it is `near` enough."""
    gone = asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        await request.read()
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        for event in build if request.path.endswith("/build") else push:
            await answer.write(json.dumps(event).encode() + b"\r\n")
        if hangs:
            await gone.wait()
        return answer

    async def other(request: web.Request) -> web.Response:
        if near and request.path.endswith("/auth"):
            async with ClientSession() as client:
                await client.get(f"http://{(await request.json())['serveraddress']}/v2/")
        if request.path.endswith("/tag"):
            return web.Response(status=201)
        return web.json_response({"ApiVersion": "1.41", "Version": "fake", "Status": "Login Succeeded"})

    application = web.Application()
    application.router.add_post("/{version}/build", stream)
    application.router.add_post("/{version}/images/{name:.+}/push", stream)
    application.router.add_route("*", "/{path:.*}", other)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(folder / "docker.sock")).start()
    try:
        yield f"unix://{folder}/docker.sock"
    finally:
        gone.set()
        await runner.cleanup()
