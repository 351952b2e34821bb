"""A suspended run begins again when a vote was kept, once for each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hooks import sqlite

from clients.ballots import Asked, Ballots
from clients.prefect_runs import Runs
from clients.store import Store
from deployments.service.main import beside
from deployments.service.waker import Waker
from release import gates
from release.errors import Unavailable
from release.gates_votes import Bound, Decision, Vote

BOUND = Bound("production shop", "sha256:new", "canary", ("us",), {"us": ("1.4.0", "sha256:old")})
ASKED = Asked("run-1", "production v1.5.0", "production", "ada", 2, 1000.0, BOUND, "approvals")


class Server:
    def __init__(self) -> None:
        self.state: dict[str, Any] = suspended()
        self.up = True
        self.woken = 0
        self.there = True

    def answer(self, request: httpx.Request) -> httpx.Response:
        if not self.up:
            return httpx.Response(503)
        if request.url.path.endswith("set_state"):
            self.state = json.loads(request.content)["state"]
            self.woken += 1
            return httpx.Response(201, json={"status": "ACCEPT"})
        run = {"id": "run-1", "flow_id": "f", "state": self.state}
        found = {"flow_runs/filter": [run] if self.there else [], "flows/filter": [{"id": "f", "name": "production"}]}
        return httpx.Response(200, json=found.get(request.url.path.removeprefix("/api/"), run))


@asynccontextmanager
async def waking(ballots: Ballots, server: Server) -> AsyncIterator[Waker]:
    """What wakes the runs at this server."""
    async with Runs("http://prefect/api", transport=httpx.MockTransport(server.answer)) as runs:
        yield Waker(ballots, runs)


def suspended(**details: str) -> dict[str, Any]:
    return {"type": "PAUSED", "name": "AwaitingApproval", "state_details": {"pause_reschedule": True, **details}}


@pytest.fixture
async def ballots(tmp_path: Path) -> AsyncIterator[Ballots]:
    async with Store(sqlite(tmp_path)) as store:
        found = Ballots(store)
        await found.open(ASKED, True, 0)
        yield found


async def vote(ballots: Ballots, person: str, at: float, decision: Decision = "approve") -> None:
    await ballots.vote(ASKED, Vote(person, decision, "", "cli", at, BOUND), int(at))


async def test_each_vote_wakes_it_once(ballots: Ballots) -> None:
    server = Server()
    async with waking(ballots, server) as waker:
        await waker.look()
        assert server.woken == 0, "nobody voted"
        await vote(ballots, "bob", 1010.0)
        await waker.look()
        server.state = suspended()
        await waker.look()
        assert server.woken == 1
        await vote(ballots, "eve", 1020.0)
        await waker.look()
        assert server.woken == 2


async def test_while_the_timer_runs_only_a_no_wakes_it(ballots: Ballots) -> None:
    server = Server()
    server.state = {"type": "SCHEDULED", "name": "AwaitingTimer"}
    async with waking(ballots, server) as waker:
        await vote(ballots, "bob", 1010.0)
        await waker.look()
        assert server.woken == 0
        await vote(ballots, "eve", 1020.0, "reject")
        await waker.look()
        assert server.woken == 1


async def test_a_vote_that_came_before_it_was_suspended_or_while_prefect_was_away_is_not_forgotten(
    ballots: Ballots,
) -> None:
    server = Server()
    server.state = {"type": "RUNNING", "name": "Running"}
    async with waking(ballots, server) as waker:
        await vote(ballots, "bob", 1010.0)
        await waker.look()
        server.up = False
        with pytest.raises(Unavailable):
            await waker.look()
        server.up, server.state = True, suspended()
        await waker.look()
        assert server.woken == 1


async def test_one_that_waits_no_longer_is_left_alone(ballots: Ballots) -> None:
    server = Server()
    async with waking(ballots, server) as waker:
        await vote(ballots, "bob", 1010.0)
        await ballots.leave("run-1")
        await waker.look()
    assert server.woken == 0


async def test_a_request_that_has_expired_is_woken_while_prefect_still_keeps_its_run(ballots: Ballots) -> None:
    server, expires = Server(), 5000.0
    server.state = suspended(pause_timeout=datetime.fromtimestamp(expires + gates.KEPT, UTC).isoformat())
    async with waking(ballots, server) as waker:
        await waker.tidy(expires)
        assert server.woken == 0
        await waker.tidy(expires + 5)
        await waker.tidy(expires + 15)
    assert server.woken == 1
    assert len(await ballots.waiting()) == 1, "the run itself refuses and tells"


@pytest.mark.parametrize(
    ("kind", "there", "votes"),
    [("FAILED", True, 1), ("CRASHED", True, 1), ("CANCELLED", True, 0), ("PAUSED", False, 1)],
)
async def test_a_request_whose_run_has_ended_waits_no_more(
    ballots: Ballots, kind: str, there: bool, votes: int
) -> None:
    server = Server()
    server.state, server.there = {"type": kind, "name": kind.capitalize()}, there
    await vote(ballots, "bob", 1010.0)
    async with waking(ballots, server) as waker:
        await waker.tidy(2000.0)
    assert await ballots.waiting() == ()
    assert server.woken == 0
    assert len(await ballots.votes(BOUND.key)) == votes


async def test_a_prefect_that_lets_nobody_in_does_not_end_it_and_is_told(
    ballots: Ballots, caplog: pytest.LogCaptureFixture
) -> None:
    asked = asyncio.Event()

    def answer(_: httpx.Request) -> httpx.Response:
        asked.set()
        return httpx.Response(401)

    await vote(ballots, "bob", 1010.0)
    runs = Runs("http://prefect/api", transport=httpx.MockTransport(answer))
    async with runs, beside(lambda: None, Waker(ballots, runs).run()):
        await asyncio.wait_for(asked.wait(), 5)
        await asyncio.sleep(0.1)
    assert "does not accept our credentials" in caplog.text
