"""An ASGI application on a port of loopback, listened for as the service listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import uvicorn
from starlette.types import ASGIApp

from config.service import Service
from deployments.service.main import bound
from sandbox.ports import free_port


@asynccontextmanager
async def served(app: ASGIApp, port: int | None = None) -> AsyncIterator[str]:
    """Its address, without a slash; on a free port where none is given. Pages that are left open hold its end up for a
    second at most."""
    port = port or free_port()
    config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    # Who runs it ends it.
    server.capture_signals = nullcontext  # type: ignore[method-assign]
    with bound(Service(host="127.0.0.1", port=port)) as listening:
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            await running
