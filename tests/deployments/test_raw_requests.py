"""Requests that no HTTP library sends, at the real server: cut short, malformed, smuggled. Nothing starts or breaks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hooks import Door, door, headers, pushed, sqlite
from operator_world import world

from config.service import Service
from deployments.service import slack
from deployments.service.main import bound, prepared
from deployments.service.webhook import PATH
from release.errors import Refused
from sandbox.ports import free_port

BODY = pushed()
FORM = "application/x-www-form-urlencoded"
TOLD = {PATH: headers(BODY), slack.PATH: {"Content-Type": FORM}, "/login": {"Content-Type": FORM}}


async def unsigned(body: bytes, timestamp: str, signature: str) -> str:
    raise Refused("Slack's signature is wrong or too old.", field="signature")


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[Door, int]]:
    (tmp_path / "people").mkdir()
    async with door(sqlite(tmp_path), slack.router(unsigned)) as service, world(tmp_path / "people") as people:
        service.app.include_router(people.door.router)
        settings = Service(host="127.0.0.1", port=free_port())
        server = prepared(settings, service.app)
        with bound(settings) as listening:
            running = asyncio.create_task(server.serve(sockets=[listening]))
            yield service, settings.port
            server.stop()
            await running


def request(chance: random.Random) -> bytes:
    """Of some path, and wrong in one way."""
    path, told = chance.choice(list(TOLD.items()))
    lines = [f"POST {path} HTTP/1.1", "Host: tidegate", *(f"{name}: {value}" for name, value in told.items())]
    short = BODY[: chance.randrange(len(BODY))]
    length = f"Content-Length: {len(BODY)}"
    chunked = "Transfer-Encoding: chunked"
    more, body = chance.choice(
        [
            ([length], short),
            ([length], short),
            ([chunked], b"%x\r\n" % len(BODY) + short),
            ([chunked], b"zz\r\n" + BODY + b"\r\n0\r\n\r\n"),
            ([length, chunked], b"0\r\n\r\n" + BODY),
            ([length, "Content-Length: 1"], BODY),
            ([f"Content-Length: {chance.choice(['-1', '1e3', '', '9' * 30])}"], BODY),
            ([f"X-A: {'a' * 70_000}", length], short),
            ([f"X-\0: {chance.randbytes(9).hex()}", length], BODY),
        ]
    )
    head = "\r\n".join([*lines, *more, "", ""]).encode()
    whole = head + body
    return chance.choice(
        [whole, whole, whole, whole[: chance.randrange(len(head))], chance.randbytes(200), b"\r\n" * 9]
    )


async def send(port: int, sent: bytes, *, reset: bool = False, whole: bool = False) -> bytes:
    """What is answered before the connection ends; a `whole` request's sender waits for the first line."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        await writer.drain()
        if whole:
            return await asyncio.wait_for(reader.readline(), 5)
        if not reset:
            writer.write_eof()
            return await asyncio.wait_for(reader.read(), 5)
        await asyncio.sleep(0.01)
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    except OSError:
        pass
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return b""


async def test_hundreds_of_broken_requests_start_and_break_nothing(
    served: tuple[Door, int], caplog: pytest.LogCaptureFixture
) -> None:
    service, port = served
    chance = random.Random(5)
    answers: list[bytes] = []
    for _ in range(20):
        some = [send(port, request(chance), reset=chance.random() < 0.3) for _ in range(20)]
        answers += await asyncio.gather(*some)
    statuses = {int(line.split()[1]) for one in answers for line in one.splitlines() if line.startswith(b"HTTP/1.1 ")}
    assert statuses, "some are answered"
    assert not [code for code in statuses if code == 202 or code >= 500]
    assert await service.kept() == []
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_a_whole_one_is_still_taken_after_one_that_was_cut_short(served: tuple[Door, int]) -> None:
    service, port = served
    head = "".join(f"{name}: {value}\r\n" for name, value in headers(BODY).items())
    whole = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY
    await send(port, whole[:-9])
    assert await service.kept() == []
    assert b" 202 " in await send(port, whole, whole=True)
