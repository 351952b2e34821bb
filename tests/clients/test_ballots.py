"""Requests and votes in the store, on SQLite through the same SQLAlchemy as PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from clients.ballots import Asked, Ballots
from clients.store import Store
from clients.tables import audit
from release.errors import Refused
from release.gates_votes import Bound, Vote

BOUND = Bound("production shop", "sha256:new", "canary", ("us",), {"us": ("1.4.0", "sha256:old")})
ASKED = Asked("3f2a-1", "production v1.5.0", "production", "ada", 2, 1000.0, BOUND, "approvals")


def yes(person: str, at: float = 1010.0) -> Vote:
    return Vote(person, "approve", "fine", "cli", at, BOUND)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(f"sqlite:///{tmp_path / 'store.db'}") as found:
        yield found


async def test_a_vote_is_kept_and_audited(store: Store) -> None:
    ballots = Ballots(store)
    assert await ballots.open(ASKED, True, 0) == 1000.0
    await ballots.vote(await ballots.find("3f2a"), yes("bob"), 7)
    assert await ballots.votes(BOUND.key) == (yes("bob"),)
    async with store.begin() as connection:
        rows = [(row.who, row.what, row.run) for row in await connection.execute(select(audit).order_by(audit.c.id))]
    assert rows == [("ada", "request", "3f2a-1"), ("bob", "approve", "3f2a-1")]


async def test_a_code_counts_once_and_leaves_no_half_vote(store: Store) -> None:
    ballots = Ballots(store)
    await ballots.open(ASKED, True, 0)
    await ballots.vote(ASKED, yes("bob"), 7)
    with pytest.raises(Refused, match="used before"):
        await ballots.vote(ASKED, yes("bob", 1020), 7)
    await ballots.vote(ASKED, yes("eve"), 7)
    assert [vote.person for vote in await ballots.votes(BOUND.key)] == ["bob", "eve"]


async def test_the_same_release_started_again_finds_its_votes_and_its_time(store: Store) -> None:
    ballots = Ballots(store)
    await ballots.open(ASKED, True, 0)
    await ballots.vote(ASKED, yes("bob"), 7)
    again = replace(ASKED, run="77", at=2000.0, bound=replace(BOUND, live={"us": ("1.5.0", "sha256:new")}))
    assert await ballots.open(again, True, 500.0) == 1000.0
    assert await ballots.open(again, True, 1500.0) == 2000.0
    assert len(await ballots.votes(BOUND.key)) == 1
    assert [one.run for one in await ballots.waiting()] == ["77"], "the one that was killed waits no more"


async def test_a_run_cannot_come_back_with_something_else(store: Store) -> None:
    ballots = Ballots(store)
    await ballots.open(ASKED, True, 0)
    with pytest.raises(Refused, match="something newer took its place"):
        await ballots.open(replace(ASKED, bound=replace(BOUND, digest="sha256:newer")), True, 0)


async def test_a_release_that_ended_leaves_no_votes_for_the_next(store: Store) -> None:
    ballots = Ballots(store)
    await ballots.open(ASKED, True, 0)
    await ballots.vote(ASKED, yes("bob"), 7)
    await ballots.end(BOUND.key, 1100.0)
    assert await ballots.waiting() == ()
    assert await ballots.open(replace(ASKED, run="77", at=2000.0), True, 0) == 2000.0
    assert await ballots.votes(BOUND.key) == ()


async def test_who_asked_for_the_same_and_waits_is_not_ended_with_it(store: Store) -> None:
    ballots = Ballots(store)
    for run in ("1", "2"):
        await ballots.open(replace(ASKED, run=run), True, 0)
        await ballots.vote(replace(ASKED, run=run), yes(f"bob{run}"), 7)
    await ballots.end(BOUND.key, 1100.0, waiting=False)
    assert [one.run for one in await ballots.waiting()] == ["2"]
    assert [vote.person for vote in await ballots.votes(BOUND.key)] == ["bob2"]


async def test_a_killed_release_loses_its_votes_when_another_run_changes_the_environment(store: Store) -> None:
    ballots = Ballots(store)
    other = replace(ASKED, run="77", bound=replace(BOUND, digest="sha256:other"))
    elsewhere = replace(ASKED, run="88", environment="staging", bound=replace(BOUND, what="staging shop"))
    for request in (ASKED, other, elsewhere):
        await ballots.open(request, True, 0)
        await ballots.vote(request, replace(yes(f"bob{request.run}"), bound=request.bound), 7)
    await ballots.end_others("production", "rollback", 1050.0)
    assert len(await ballots.votes(BOUND.key)) == 1, "it still waits"
    for request in (ASKED, other, elsewhere):
        await ballots.passed(request.run, ("bob",), 1100.0, "")
    await ballots.end_others("production", "77", 1200.0)
    assert [len(await ballots.votes(one.bound.key)) for one in (ASKED, other, elsewhere)] == [0, 1, 1]
    await ballots.open(ASKED, True, 0)
    assert len(await ballots.votes(BOUND.key)) == 1, "it lives, and is back at its gates with its votes"


async def test_only_what_waits_is_found(store: Store) -> None:
    ballots = Ballots(store)
    await ballots.open(ASKED, True, 0)
    await ballots.open(replace(ASKED, run="3f2b", bound=replace(BOUND, strategy="rolling")), True, 0)
    assert [one.run for one in await ballots.waiting()] == ["3f2a-1", "3f2b"]
    for wrong in ("3f2", "9", ""):
        with pytest.raises(Refused):
            await ballots.find(wrong)
    await ballots.passed("3f2b", ["bob"], 1200.0, "")
    assert (await ballots.find("3f2")).run == "3f2a-1"


async def test_who_asked_is_the_first_word(store: Store) -> None:
    ballots = Ballots(store)
    assert await ballots.who_asked("r") is None
    await ballots.asked_by("r", "ada", "cli", 1.0)
    await ballots.asked_by("r", "mallory", "cli", 2.0)
    assert await ballots.who_asked("r") == ("ada", "cli")
