"""A rollback: a release whose plan is an earlier version; no build, no approvals."""

from __future__ import annotations

import asyncio
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from config import load
from flows import common, run_names
from flows.conclude import Draft, conclude
from flows.finish import finished
from flows.forms import RegionWord
from flows.return_to import back_to_last_good, forward_to
from release import plan, recovery, rollback_messages
from release import rollback as rules
from release.environment import Environment
from release.errors import Unavailable
from release.model import Artifact, RegionState
from release.outcome import Outcome, Word
from release.strategy import Want
from release.versions import Version, parse_tag
from tasks import clock, notify
from tasks import rollback as tasks
from tasks.lock import Grip, held


@flow(name="rollback", flow_run_name=run_names.rollback)
async def rollback(
    reason: str,
    to: str | None = None,
    regions: list[RegionWord] | None = None,
    actor: str = "unknown",
    wait_for_lock: bool = False,
) -> State[Outcome]:
    """Take production back to an earlier version.

    Args:
        reason: Why; it is told and kept.
        to: The release tag to go to, vX.Y.Z; the last good version before what is live when empty.
        regions: Only these regions; all of them when empty.
        actor: Who asked for it.
        wait_for_lock: Wait for a release that is under way instead of refusing.
    """
    start = Outcome("rollback", "refused", version=(to or "").removeprefix("v"), strategy="rollback")
    body = partial(_roll_back, reason, to, regions, actor, wait_for_lock)
    return await conclude(start, body, partial(_tell, reason, actor))


async def _roll_back(
    reason: str, to: str | None, regions: list[str] | None, actor: str, wait: bool, draft: Draft
) -> Word:
    why, target = rules.reason(reason), parse_tag(to, "to") if to else None
    environment = load.environment("production")
    waves = plan.waves(environment, regions)
    what = f"rollback to {target.tag}" if target else "rollback"
    async with held(environment, actor, what, wait=wait) as grip:
        states = await common.observed(environment, [name for wave in waves for name in wave], hurry=True)
        if grip.before is not None and rules.done_by(states, grip.before.run):
            draft.learn(**rollback_messages.done(states, why))
            return await finished(draft, grip, states)
        if target is not None and not _before(environment, states, target):
            return await _to_version(draft, grip, waves, states, target, why)
        return await _to_last_good(draft, grip, states, why)


def _before(environment: Environment, states: list[RegionState], target: Version) -> bool:
    """Whether the wanted version is what every region had before: then its slot, where it is kept, takes the users."""
    leave = {rules.leaving(state) for state in states}
    if len(leave) != 1 or (one := next(iter(leave))) is None:
        return False
    want = _want(environment, one)
    goods = [recovery.last_good(state, want) for state in states]
    return all(good is not None and good.artifact.version == str(target) for good in goods)


def _want(environment: Environment, leaving: rules.Leaving) -> Want:
    return Want(leaving.artifact, leaving.config, environment.rolling, replicas=environment.replicas)


async def _to_last_good(draft: Draft, grip: Grip, states: list[RegionState], why: str) -> Word:
    """Recover from what is live: one write of the weights, where the good version is kept beside it."""
    bad = _want(grip.environment, rules.bad(states))
    moves = rules.moves(states, bad)
    draft.learn(**rollback_messages.known(moves, why))
    app = await tasks.application_at(bad.artifact.commit)
    rules.require_possible(moves, {bad.artifact.commit: app})
    order = tuple(state.region for state in states)
    return await back_to_last_good(draft, grip, order, bad, moves, app)


async def _to_version(
    draft: Draft, grip: Grip, waves: tuple[tuple[str, ...], ...], states: list[RegionState], target: Version, why: str
) -> Word:
    """Deploy a named version in place, wave by wave."""
    artifact = await _artifact(states, target)
    moves = rules.moves_to(states, artifact)
    draft.learn(**rollback_messages.known(moves, why))
    commits = {move.bad.commit for move in moves}
    files = await asyncio.gather(*(tasks.application_at(commit) for commit in commits))
    rules.require_possible(moves, dict(zip(commits, files, strict=True)))
    return await forward_to(draft, grip, waves, states, artifact)


async def _artifact(states: list[RegionState], target: Version) -> Artifact:
    """The registry's word; where it does not answer, what a region itself recorded of that version."""
    try:
        return await tasks.released(target)
    except Unavailable:
        known = rules.recorded(states, target)
        if known is None:
            raise
        return known


async def _tell(reason: str, actor: str, outcome: Outcome) -> None:
    if outcome.word in ("refused", "unchanged"):
        return
    await notify.monitoring("rollback_success" if outcome.good else "rollback_failure", outcome, clock.now())
    if outcome.good:
        await notify.slack("incidents", rollback_messages.taken_back(outcome, reason, actor))
        await notify.slack("releases", rollback_messages.live_again(outcome))
    else:
        on_call = load.settings().slack.on_call
        await notify.slack("incidents", rollback_messages.stuck(outcome, reason, actor, on_call))
