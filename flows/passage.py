"""A release's way through its gates: judged again and again, until it passes or is refused."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace

from prefect.artifacts import acreate_table_artifact

from clients.ballots import Asked, Ballots
from config import load
from flows.asking import Asking, bound_now
from release import gates, gates_messages, gates_slack, people
from release.errors import Refused, TidegateError, Unavailable
from release.gates_votes import Bound
from tasks import ballot, context, notify, proof, waiting
from tasks.say import say

# How often a run in place looks for votes.
_POLL_S = 2.0
_LEAST_POLL_S = 0.25


async def through(asking: Asking) -> Bound:
    """Returns what was approved, once every gate is open. Raises Refused where one says no."""
    bound = await bound_now(asking)
    request = gates.Request(asking.actor, False, waiting.began(), bound, asking.on_branch, asking.break_glass)
    store = await context.store()
    if store is None:
        return await Passage(asking, request, None).through()
    async with store:
        return await Passage(asking, request, Ballots(store)).through()


class Passage:
    """One run at its gates; without `ballots` it can wait for the timer alone."""

    def __init__(self, asking: Asking, request: gates.Request, ballots: Ballots | None) -> None:
        self._asking, self._request, self._ballots = asking, request, ballots
        self._policy = asking.environment.gates
        self._people = load.settings().persons
        self._seen: tuple[object, ...] = ()
        self._refused = self._told = ""

    async def through(self) -> Bound:
        await self.identify()
        gates_messages.require_enough(self._policy, self._request, self._people)
        try:
            return await self._until_passed()
        except (TidegateError, asyncio.CancelledError):
            # Its votes stay; only it does not wait any more.
            if self._ballots is not None:
                with suppress(TidegateError):
                    await self._ballots.leave(context.run_id())
            raise

    async def _until_passed(self) -> Bound:
        while True:
            await self._open("approvals")
            await self._read_forms()
            standing = await self._look()
            self._seen = _sign(standing)
            if standing.word == "refused":
                await self._end(standing)
                raise Refused(standing.reason, field="gates", next_step=standing.next_step)
            if standing.word == "waiting":
                await self._wait(standing)
                continue
            fresh = await bound_now(self._asking)
            if fresh == self._request.bound:
                await self._end(standing)
                return fresh
            self._request = replace(self._request, bound=fresh)

    @property
    def needed(self) -> int:
        """How many people must approve."""
        return gates.needed(self._policy, self._request)

    async def identify(self) -> None:
        """Who asked: whoever proved it to a run in place, or whom the way he asked by kept. Nobody else is proven; a
        schedule is nobody who could approve."""
        if waiting.scheduled():
            self._request, self._policy = replace(self._request, proven=True), self._policy.by_schedule()
            return
        here = proof.in_place.get()
        asked = (here, "cli") if here else None
        if asked is None and self._ballots is not None:
            asked = await self._ballots.who_asked(context.run_id())
        proven = asked is not None and people.who(self._people, *asked) is not None
        self._request = replace(self._request, requester=asked[0] if asked else self._asking.actor, proven=proven)

    async def _open(self, what_for: str) -> None:
        if self._ballots is not None:
            since = time.time() - self._policy.expire
            at = await self._ballots.open(self._asked(what_for), self._request.proven, since)
            self._request = replace(self._request, at=min(at, self._request.at))

    def _asked(self, what_for: str) -> Asked:
        request, asking = self._request, self._asking
        what = f"{asking.pipeline} {asking.artifact.version}"
        name = asking.environment.name
        return Asked(context.run_id(), what, name, request.requester, self.needed, request.at, request.bound, what_for)

    async def _look(self) -> gates.Standing:
        votes = await self._ballots.votes(self._request.bound.key) if self._ballots else ()
        return gates.judge(self._policy, self._request, votes, self._people, time.time())

    async def _changed(self) -> bool:
        try:
            return _sign(await self._look()) != self._seen
        except Unavailable:
            # It waits for people: a database that is away for a while is only looked at again.
            return False

    async def _read_forms(self) -> None:
        """The answers of Prefect's form become votes; one that is refused is told in the next form."""
        for answer in await waiting.answers() if self._ballots else ():
            try:
                await ballot.approve_by_code(context.run_id(), **_fields(answer), via="prefect", given=answer.at)
                self._refused = ""
            except Refused as error:
                self._refused = error.what
                say(f"an answer of the form does not count: {error}", warn=True)
            await waiting.forget(answer)

    async def _wait(self, standing: gates.Standing) -> None:
        poll = max(_LEAST_POLL_S, _POLL_S / load.settings().speed)
        if standing.missing == 0:
            await self._open("timer")
            say(f"waits: {standing.reason}")
            await waiting.for_timer(standing.until, self._changed, poll)
            return
        await self._ask(standing)
        text = gates_messages.form(self._request, standing, self._asking.artifact.version, self._refused)
        within = max(1.0, self._request.at + self._policy.expire - time.time())
        await waiting.for_people(text, self._changed, poll, within)

    async def _ask(self, standing: gates.Standing) -> None:
        run, version = context.run_id(), self._asking.artifact.version
        if self._told != standing.reason:
            say(gates_messages.waits(standing, run))
            await self._show(standing)
        # A resumed run was told of before.
        if not self._told and not await waiting.resumed():
            text = gates_messages.ask(self._request, standing, version, run, context.run_url())
            pressed = load.settings().slack.signing_secret is not None
            await notify.slack(self._asking.channel, text, attachments=gates_slack.buttons(run) if pressed else None)
        self._told = standing.reason

    async def _end(self, standing: gates.Standing) -> None:
        await self._show(standing)
        if self._ballots is None:
            return
        if standing.word == "passed":
            reason = self._request.break_glass
            await self._ballots.passed(context.run_id(), standing.approvers, time.time(), reason)
            if standing.approvers:
                say(f"approved by {', '.join(standing.approvers)}")
            if reason:
                text = gates_messages.broken(self._request, standing.approvers, self._asking.artifact.version)
                await notify.slack("incidents", text)
            return
        if any(gate.ok is False and gate.name == "approvals" for gate in standing.gates):
            await self._ballots.end(self._request.bound.key, time.time())

    async def _show(self, standing: gates.Standing) -> None:
        key = f"gates-{self._asking.environment.name}"
        await acreate_table_artifact(key=key, table=gates_messages.rows(standing.gates), description=standing.word)


def _sign(standing: gates.Standing) -> tuple[object, ...]:
    """What tells two looks apart; the time that is left does not."""
    return standing.word, standing.missing, standing.approvers, standing.left_out


def _fields(answer: waiting.Answer) -> dict[str, str]:
    fields = answer.fields
    return {
        "name": fields["approver"],
        "code": fields["code"],
        "decision": fields["decision"],
        "reason": fields["reason"],
    }
