"""A proxy on loopback that passes bytes on until it is told to fail.

TLS passes through untouched: the API server's certificate is valid for every port of the loopback. Only to
answer by itself does the proxy take TLS off, with that same certificate; so what works costs next to nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.canned import answer
from sandbox.ports import LOOPBACK, free_port

Mode = Literal["ok", "down", "refused", "slow", "cut", "500", "503", "429"]
_CHUNK = 65536
_ANSWERING = ("500", "503", "429")
# Of the loop, from accept() until the connection is told.
_TURNS_OF_AN_ACCEPT = 3


@dataclass(frozen=True, slots=True)
class Fault:
    """What a proxy does.

    ok: pass on. down: accept and close at once. refused: nobody listens. slow: each request waits `seconds`
    (a TLS handshake counts as one). cut: connections end after `seconds`, watches too. 500, 503, 429: answer so,
    with Retry-After `retry_after` (seconds) on 429.
    """

    mode: Mode = "ok"
    seconds: float = 0.5
    retry_after: float = 1


OK = Fault()


class FaultProxy:
    """Listens on its own `port`, known from the start, before `upstream` (host, port), which may come later.

    `tls`: certificate and key files (PEM) to answer with where clients speak TLS. `reencrypt`: for a server
    whose certificate clients would not accept here; then TLS ends at the proxy, and starts anew with it.
    """

    def __init__(
        self,
        name: str,
        upstream_host: str,
        upstream_port: int,
        *,
        region: str | None = None,
        tls: tuple[Path, Path] | None = None,
        reencrypt: ssl.SSLContext | None = None,
        port: int | None = None,
    ) -> None:
        self.name = name
        self.region = region
        self.upstream = (upstream_host, upstream_port)
        self.port = port or free_port()
        self.fault = OK
        self._tls = tls
        self._reencrypt = reencrypt
        self._server: asyncio.Server | None = None
        self._switching = asyncio.Lock()
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """HOST:PORT for clients."""
        return f"{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Listen, unless it does or is to refuse connections."""
        async with self._switching:
            await self._listen()

    async def stop(self) -> None:
        """Close the port and every connection."""
        async with self._switching:
            await self._close()

    async def set(self, fault: Fault) -> None:
        """Fail, or work, like this from now on; a fault other than slow ends the connections that are open."""
        async with self._switching:
            before, self.fault = self.fault, fault
            if fault.mode == "refused":
                await self._close()
                return
            if before.mode != fault.mode and {before.mode, fault.mode} != {"ok", "slow"}:
                await self._drop()
            await self._listen()

    async def _listen(self) -> None:
        if self._server is None and self.fault.mode != "refused":
            self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port, backlog=512)

    async def _close(self) -> None:
        if self._server is not None:
            closing, self._server = self._server, None
            # Python 3.11 forgets, still open, what it had just accepted when a server closes: it accepts no more first.
            for listening in closing.sockets:
                asyncio.get_running_loop().remove_reader(listening.fileno())
            for _ in range(_TURNS_OF_AN_ACCEPT):
                await asyncio.sleep(0)
            closing.close()
        await self._drop()

    async def _drop(self) -> None:
        open_now = list(self._connections)
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # No coroutine: one that has not begun yet would be missed by a fault, and nobody would close its connection.
        if self._server is None:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._attend(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        # At once and unread: a polite end could wait for the client.
        task.add_done_callback(lambda _: writer.transport.abort())

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, EOFError):
            await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self.fault
        if fault.mode == "down":
            return
        answering = fault.mode in _ANSWERING
        if self._tls is not None and (answering or self._reencrypt is not None):
            await writer.start_tls(_context(*self._tls))
        if answering:
            await answer(reader, writer, int(fault.mode), fault.retry_after)
            return
        async with asyncio.timeout(fault.seconds if fault.mode == "cut" else None):
            await self._relay(reader, writer)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(*self.upstream, ssl=self._reencrypt)
        turn = _Turn()
        there = asyncio.create_task(self._pump(reader, up_writer, turn))
        back = asyncio.create_task(_pump_back(up_reader, writer, turn))
        try:
            done, _ = await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            if there in done and not there.exception() and up_writer.can_write_eof():
                up_writer.write_eof()
                await back
            writer.close()
            await writer.wait_closed()
        finally:
            # Before the wait: a fault may end that as well.
            up_writer.transport.abort()
            there.cancel()
            back.cancel()
            await asyncio.gather(there, back, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, turn: _Turn) -> None:
        while data := await reader.read(_CHUNK):
            # Once a request: a long one comes in many pieces.
            if self.fault.mode == "slow" and turn.clients:
                await asyncio.sleep(self.fault.seconds)
            turn.clients = False
            writer.write(data)
            await writer.drain()


@dataclass(slots=True)
class _Turn:
    """Whose turn it is to speak: what the client says in its turn begins a request."""

    clients: bool = True


async def _pump_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, turn: _Turn) -> None:
    while data := await reader.read(_CHUNK):
        turn.clients = True
        writer.write(data)
        await writer.drain()


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
