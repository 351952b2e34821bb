"""A fault leaves no connection behind, whatever the connection was just doing (pytest fails on what is left open)."""

from __future__ import annotations

import asyncio
import gc

import pytest

from sandbox.faultproxy import Fault, FaultProxy

HOST = "127.0.0.1"
# Of the event loop, between one event and the next: every order in which the two can come.
TURNS = range(12)


async def turn(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


@pytest.mark.parametrize("turns", TURNS)
async def test_a_connection_that_ends_as_the_fault_begins(turns: int) -> None:
    end = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        await end.wait()
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as upstream:
        proxy = FaultProxy("kubernetes", *upstream.sockets[0].getsockname())
        await proxy.start()
        _, writer = await asyncio.open_connection(HOST, proxy.port)
        writer.write(b"x")
        await asyncio.sleep(0.005)
        end.set()
        await turn(turns)
        await proxy.set(Fault("refused"))
        writer.transport.abort()
        await turn(1)
        gc.collect()
        await proxy.stop()


@pytest.mark.parametrize("mode", ["refused", "down"])
@pytest.mark.parametrize("turns", TURNS)
async def test_a_connection_that_begins_as_the_fault_does(turns: int, mode: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, HOST, 0) as upstream:
        proxy = FaultProxy("kubernetes", *upstream.sockets[0].getsockname())
        await proxy.start()
        coming = asyncio.create_task(asyncio.open_connection(HOST, proxy.port))
        await turn(turns)
        await proxy.set(Fault(mode))  # type: ignore[arg-type]
        done, _ = await asyncio.wait({coming}, timeout=5)
        assert done
        if coming.exception() is None:
            reader, writer = coming.result()
            with pytest.raises((EOFError, ConnectionError)):
                await asyncio.wait_for(reader.readexactly(1), 5)
            writer.transport.abort()
        await turn(1)
        gc.collect()
        await proxy.stop()
