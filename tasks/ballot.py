"""Voting: who it is, whether that is proven, and the vote into the store. The form, Slack and `tidegate approve`
all come here."""

from __future__ import annotations

import time
from dataclasses import dataclass

from clients.ballots import Asked, Ballots
from clients.store import Store
from config import load
from release import gates_code, gates_slack, gates_votes
from release.errors import Refused, TidegateError
from release.gates_votes import Decision, Person, Vote
from tasks import context
from tasks.say import say


@dataclass(frozen=True, slots=True)
class Cast:
    """A vote that was kept, and how many people have approved with it, of how many that must."""

    request: Asked
    vote: Vote
    approved: int


async def required_store() -> Store:
    """The store, to be opened. Raises Refused where none is configured."""
    store = await context.store()
    if store is None:
        raise Refused(
            "votes need a database that keeps them, and none is configured.",
            field="database.url",
            next_step="Name one in tidegate.yaml; docs/gates.md says how.",
        )
    return store


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
        person = _person(request, name, chosen)
        await ballots.require_patience(person.name, now)
        secret = await _secret(person)
        step = gates_code.step_of(secret, code, given or now, period=_period(person))
        if step is None:
            await ballots.wrong_code(person.name, via, request.run, now)
            raise Refused("the code is wrong.", field="code", next_step="Give the one that is shown now.")
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
        person = next((one for one in settings.persons.values() if one.slack == press.user), None)
        person = _person(request, person.name if person else press.user, press.decision)
        reason = "" if press.decision == "approve" else "by a button in Slack"
        vote = Vote(person.name, press.decision, reason, "slack", now, request.bound)
        return await _keep(ballots, request, vote, press.once)


def _person(request: Asked, name: str, decision: Decision) -> Person:
    return gates_votes.approver(load.settings().persons, name, request.bound, request.requester, decision)


def _period(person: Person) -> int:
    return load.settings().people[person.name].totp_period_s


async def _secret(person: Person) -> str:
    field = f"people.{person.name}.totp"
    found = await context.secret(load.settings().people[person.name].totp, field)
    if found is None:
        raise Refused(
            f"{person.name} has no secret for one-time codes.", field=field, next_step="Name one in tidegate.yaml."
        )
    return found


async def _keep(ballots: Ballots, request: Asked, vote: Vote, once: int) -> Cast:
    await ballots.vote(request, vote, once)
    settings = load.settings()
    expire = load.environment(request.environment).gates.expire
    requester = "" if request.bound.break_glass else request.requester
    votes = await ballots.votes(request.bound.key)
    counted = gates_votes.count(votes, request.bound, settings.persons, vote.at, expire, requester)
    return Cast(request, vote, len(counted.approvers))
