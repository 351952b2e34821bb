"""Voting: who it is, whether that is proven, and the vote into the store. The form, Slack and `tidegate approve`
all come here."""

from __future__ import annotations

import time
from dataclasses import dataclass

from clients.ballots import Asked, Ballots
from clients.codes import Codes
from config import load
from release import gates_slack, gates_votes, people
from release.errors import Refused, TidegateError
from release.gates_votes import Decision, Vote
from release.people import Person
from tasks import context, proof
from tasks.proof import required_store
from tasks.say import say


@dataclass(frozen=True, slots=True)
class Cast:
    """A vote that was kept, and how many people have approved with it, of how many that must."""

    request: Asked
    vote: Vote
    approved: int


async def asked(run: str, who: str, via: str) -> None:
    """Keep who asked for a run, where the way he asked by knows him: the command line, a login, a signed webhook.

    Without this a run of a deployment was asked for by nobody in particular, and takes one approval more.
    """
    store = await context.store()
    if store is not None:
        async with store:
            await Ballots(store).asked_by(run, who, via, time.time())


async def end_others(environment: str) -> None:
    """Call it once this run has won the environment: approvals of a release that was killed there before are for
    starting that again, not for releasing it over what this run leaves. Where it cannot be done, that is said."""
    try:
        store = await context.store()
        if store is not None:
            async with store:
                await Ballots(store).end_others(environment, context.run_id(), time.time())
    except TidegateError as error:
        say(f"the votes of releases that were killed were not closed: {error}", warn=True)


async def approve_by_code(
    run: str, name: str, code: str, decision: str, reason: str, via: str, *, given: float | None = None
) -> Cast:
    """Vote with a one-time code, looked at as of `given` (now when left out; seconds since the epoch).

    `run` may be the beginning of an id. Raises Refused for an unknown person, one who may not, a wrong or used code.
    """
    chosen, now = gates_votes.decision(decision), time.time()
    if chosen == "reject" and not reason.strip():
        raise Refused("a rejection needs a reason.", field="reason", next_step="Give one.")
    async with await required_store() as store:
        ballots = Ballots(store)
        request = await ballots.find(run)
        person = _person(request, name, chosen, via)
        step = await proof.step(Codes(store), person, code, via, request.run, given or now)
        return await _keep(ballots, request, Vote(person.name, chosen, reason.strip(), via, now, request.bound), step)


async def approve_by_slack(body: bytes, timestamp: str, signature: str) -> Cast:
    """Vote by a button in Slack: `body` as it came, and the headers X-Slack-Request-Timestamp and X-Slack-Signature.

    Raises Refused for a wrong signature, for what is no button, for a user that is no person, and for a second press.
    """
    from clients.slack_signature import signed

    now, settings = time.time(), load.settings()
    secret = await context.secret(settings.slack.signing_secret, "slack.signing_secret")
    if secret is None or not signed(secret, body, timestamp, signature, now):
        raise Refused("Slack's signature is wrong or too old.", field="signature")
    press = gates_slack.press(body)
    async with await required_store() as store:
        ballots = Ballots(store)
        request = await ballots.find(press.run)
        person = _person(request, press.user, press.decision, "slack")
        reason = "" if press.decision == "approve" else "by a button in Slack"
        vote = Vote(person.name, press.decision, reason, "slack", now, request.bound)
        return await _keep(ballots, request, vote, press.once)


def _person(request: Asked, name: str, decision: Decision, via: str) -> Person:
    person = people.who(load.settings().persons, name, via)
    return gates_votes.approver(person, name, request.bound, request.requester, decision)


async def _keep(ballots: Ballots, request: Asked, vote: Vote, once: int) -> Cast:
    await ballots.vote(request, vote, once)
    settings = load.settings()
    expire = load.environment(request.environment).gates.expire
    requester = "" if request.bound.break_glass else request.requester
    votes = await ballots.votes(request.bound.key)
    counted = gates_votes.count(votes, request.bound, settings.persons, vote.at, expire, requester)
    return Cast(request, vote, len(counted.approvers))
