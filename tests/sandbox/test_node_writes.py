"""A pod's status is written in the order of its states, however the writes overlap."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from sandbox.node.writes import MINOR, Writes


@dataclass
class Server:
    """Takes its time with each write until `free`; `order` has what began and what was applied."""

    state: str = "Pending"
    order: list[str] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self) -> None:
        state = self.state
        self.order.append(f"{state} begins")
        self.begun.set()
        await self.free.wait()
        self.order.append(f"{state} is applied")


@pytest.fixture
def server() -> Server:
    return Server()


IN_TURN = ["Running begins", "Running is applied", "Ready begins", "Ready is applied"]


async def test_a_write_that_has_begun_is_ended_before_the_next(server: Server) -> None:
    writes = Writes(server.write)
    server.state = "Running"
    writes.later()
    await server.begun.wait()
    server.state = "Ready"
    ready = asyncio.create_task(writes.now())
    await asyncio.sleep(0.01)
    server.free.set()
    await ready
    assert server.order == IN_TURN


async def test_a_write_is_ended_although_nobody_waits_for_it_any_more(server: Server) -> None:
    writes = Writes(server.write)
    server.state = "Running"
    asker = asyncio.create_task(writes.now())
    await server.begun.wait()
    asker.cancel()
    server.state = "Ready"
    ready = asyncio.create_task(writes.now())
    await asyncio.sleep(0.01)
    server.free.set()
    await ready
    assert server.order == IN_TURN


async def test_what_changes_during_a_write_is_written_after_it(server: Server) -> None:
    writes = Writes(server.write)
    server.state = "Running"
    writes.later()
    await server.begun.wait()
    server.state = "Ready"
    writes.later()
    server.begun.clear()
    server.free.set()
    await server.begun.wait()
    assert server.order[:3] == IN_TURN[:3]


async def test_a_state_that_is_over_soon_is_not_written(server: Server) -> None:
    server.free.set()
    writes = Writes(server.write)
    server.state = "Running"
    writes.later()
    server.state = "Ready"
    await writes.now()
    await asyncio.sleep(MINOR * 2)
    assert server.order == IN_TURN[2:]


async def test_nothing_is_written_after_the_stop(server: Server) -> None:
    server.free.set()
    writes = Writes(server.write)
    writes.later()
    writes.stop()
    await asyncio.sleep(MINOR * 2)
    assert server.order == []
