"""Requests at the gates and the votes about them, kept in the store. Every vote is written into the audit with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.exc import IntegrityError

from clients.audit import record
from clients.codes import spend
from clients.store import Store
from clients.tables import asked, gate_requests, gate_votes
from release.errors import Refused
from release.gates_votes import Bound, Decision, Vote, bound_from


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that waits at its gates. `needed` approvals in all; `waiting` is what for: approvals or timer.

    `proven`, as it is read: whether it is known who asked.
    """

    run: str
    what: str
    environment: str
    requester: str
    needed: int
    at: float
    bound: Bound
    waiting: str
    proven: bool = True


class Ballots:
    """Over an open store. Raises Unavailable where the database does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def asked_by(self, run: str, who: str, via: str, at: float) -> None:
        """Keep who asked for a run, where the way he asked by knows him; the first word stands."""
        try:
            async with self._store.begin() as connection:
                await connection.execute(asked.insert().values(run=run, who=who, via=via, at=at))
                await record(connection, who, via, "ask", run, at, {"proven": True})
        except IntegrityError:
            return

    async def who_asked(self, run: str) -> tuple[str, str] | None:
        """Whom `asked_by` kept for the run, and the way he asked by: each way has names of its own."""
        async with self._store.begin() as connection:
            found = (await connection.execute(select(asked.c.who, asked.c.via).where(asked.c.run == run))).first()
            return None if found is None else (str(found.who), str(found.via))

    async def open(self, request: Asked, proven: bool, since: float) -> float:
        """Write a waiting request down, or anew; when it was first asked for.

        The same release asked for before and not ended, no longer ago than `since`, is the same request: its run was
        killed, and this one takes its place. Raises Refused where this run asked for something else before: a newer
        build took its place while it was suspended.
        """
        bound = request.bound.as_dict()
        row: dict[str, Any] = {
            "key": request.bound.key,
            "what": request.what,
            "environment": request.environment,
            "bound": bound,
        }
        row |= {"requester": request.requester, "proven": proven, "needed": request.needed, "waiting": request.waiting}
        mine = gate_requests.c.run == request.run
        same = (gate_requests.c.key == request.bound.key) & gate_requests.c.ended.is_(None)
        async with self._store.begin() as connection:
            if await connection.scalar(select(gate_requests.c.key).where(mine)) not in (None, request.bound.key):
                raise Refused(
                    "something newer took its place while it waited: what it asks for is not what it asked for.",
                    field="gates",
                    next_step="Ask again, if it is still wanted.",
                )
            await connection.execute(update(gate_requests).where(same, ~mine).values(waiting=""))
            # A run that comes back to its gates asks anew, whoever ended what it asked for meanwhile.
            done = await connection.execute(update(gate_requests).where(mine).values({**row, "ended": None}))
            if not done.rowcount:
                await connection.execute(gate_requests.insert().values(run=request.run, at=request.at, **row))
                await record(connection, request.requester, "run", "request", request.run, request.at, bound)
            first = select(func.min(gate_requests.c.at)).where(same, gate_requests.c.at >= since)
            return float(await connection.scalar(first) or request.at)

    async def votes(self, key: str) -> tuple[Vote, ...]:
        """The votes about this release, of requests that have not ended."""
        runs = select(gate_requests.c.run).where(gate_requests.c.key == key, gate_requests.c.ended.is_(None))
        query = select(gate_votes).where(gate_votes.c.key == key, gate_votes.c.run.in_(runs)).order_by(gate_votes.c.id)
        async with self._store.begin() as connection:
            return tuple(_vote(row) for row in await connection.execute(query))

    async def waiting(self) -> tuple[Asked, ...]:
        """All requests that wait, oldest first."""
        query = select(gate_requests).where(gate_requests.c.waiting != "").order_by(gate_requests.c.at)
        async with self._store.begin() as connection:
            return tuple(_asked(row) for row in await connection.execute(query))

    async def find(self, run: str) -> Asked:
        """The waiting request of the run with this id, or the beginning of one. Raises Refused for none or several."""
        found = [one for one in await self.waiting() if run and one.run.startswith(run)]
        if len(found) == 1:
            return found[0]
        what = "no run" if not found else "more than one run"
        raise Refused(f"{what} {run!r} waits at its gates.", field="run", next_step="See `tidegate status`.")

    async def vote(self, request: Asked, vote: Vote, once: int) -> None:
        """Keep a vote, the use of its proof and the audit, all or nothing.

        `once` is a number that this person may use only once (a code's time step). Raises Refused for a second use.
        """
        async with self._store.begin() as connection:
            await spend(connection, vote.person, once, vote.at)
            row = {"run": request.run, "key": vote.bound.key, "person": vote.person, "via": vote.via, "at": vote.at}
            row |= {"decision": vote.decision, "reason": vote.reason, "bound": vote.bound.as_dict()}
            await connection.execute(gate_votes.insert().values(row))
            detail = {"reason": vote.reason, "bound": row["bound"]}
            await record(connection, vote.person, vote.via, vote.decision, request.run, vote.at, detail)

    async def leave(self, run: str) -> None:
        """The run waits no longer."""
        async with self._store.begin() as connection:
            await connection.execute(update(gate_requests).where(gate_requests.c.run == run).values(waiting=""))

    async def passed(self, run: str, approvers: Sequence[str], at: float, broken: str) -> None:
        """The gates let the run pass; `broken` is the reason the glass was broken for."""
        mine = update(gate_requests).where(gate_requests.c.run == run)
        async with self._store.begin() as connection:
            await connection.execute(mine.values(waiting="", passed=at))
            for person in approvers if broken else ():
                await record(connection, person, "run", "break-glass", run, at, {"reason": broken})

    async def end(self, key: str, at: float, *, waiting: bool = True) -> None:
        """This release is over: its votes count for no other. Whoever asked for the same and still waits is left
        alone where `waiting` is false."""
        ended = update(gate_requests).where(gate_requests.c.key == key, gate_requests.c.ended.is_(None))
        if not waiting:
            ended = ended.where(gate_requests.c.waiting == "")
        async with self._store.begin() as connection:
            await connection.execute(ended.values(ended=at, waiting=""))

    async def end_others(self, environment: str, run: str, at: float) -> None:
        """This run changes the environment from now on: whatever else was let pass there and did not end is over."""
        own = select(gate_requests.c.key).where(gate_requests.c.run == run)
        others = (gate_requests.c.environment == environment) & gate_requests.c.key.not_in(own)
        passed = gate_requests.c.passed.is_not(None) & gate_requests.c.ended.is_(None)
        async with self._store.begin() as connection:
            await connection.execute(update(gate_requests).where(others, passed).values(ended=at, waiting=""))


def _vote(row: Row[Any]) -> Vote:
    decision: Decision = "approve" if row.decision == "approve" else "reject"
    return Vote(row.person, decision, row.reason, row.via, row.at, bound_from(row.bound))


def _asked(row: Row[Any]) -> Asked:
    bound = bound_from(row.bound)
    return Asked(row.run, row.what, row.environment, row.requester, row.needed, row.at, bound, row.waiting, row.proven)
