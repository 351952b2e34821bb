"""An engine that is there already. One behind a mounted socket, or in a virtual machine, does not live where we do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from clients.docker import engine_reachable
from clients.docker_engine import connected
from release.errors import Unavailable
from sandbox.ports import LOOPBACK

_SOCKET = "unix:///var/run/docker.sock"
_SILENCE_S = 10
_WELCOME = (
    b"HTTP/1.1 200 OK\r\nDocker-Distribution-Api-Version: registry/2.0\r\n"
    b"Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
)


async def found(say: Callable[[str], None]) -> tuple[str, str] | None:
    """Address and version of the engine that the user's docker command talks to, else of the machine's; None where
    neither answers and reaches our loopback."""
    for host in filter(None, (os.environ.get("DOCKER_HOST"), _SOCKET)):
        version = await engine_reachable(host)
        if version is None:
            continue
        if await shares_loopback(host):
            return host, version
        say(f"The Docker Engine at {host} runs elsewhere: it cannot reach a registry on our loopback.")
    return None


async def shares_loopback(host: str) -> bool:
    """Whether the engine at `host` reaches our loopback: it is asked to log in to a server that is ours."""
    reached = asyncio.Event()

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await reader.readline()
        writer.write(_WELCOME)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(welcome, LOOPBACK, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await asyncio.to_thread(_log_in, host, f"{LOOPBACK}:{port}")
    return reached.is_set()


def _log_in(host: str, registry: str) -> None:
    try:
        with connected(host, _SILENCE_S) as engine:
            engine.login("nobody", "nothing", registry=registry, reauth=True)
    except Unavailable:
        # What counts is whether our server heard from it.
        return
