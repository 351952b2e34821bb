"""The end of a release whose run died between its last step and its conclusion: nothing is left but to say so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from flows.conclude import Draft
from flows.region import deployment_name
from release.environment import Environment
from release.model import RegionState
from release.outcome import RegionResult, Word
from release.versions import shown
from tasks import notify
from tasks.lock import Grip, held, not_concluded
from tasks.maintenance import switch_off
from tasks.say import say


async def finish(
    environment: Environment, draft: Draft, states: Sequence[RegionState], actor: str, what: str, *, wait: bool
) -> Word:
    """Every region has the version: there is nothing to do, unless a run of the same release left it without an end.

    Raises LockHeld where that run may still be alive and nobody waits for it.
    """
    if await not_concluded(environment, what):
        async with held(environment, actor, what, wait=wait) as grip:
            return await finished(draft, grip, states)
    say("it is live everywhere already: nothing to do")
    return "unchanged"


async def finished(draft: Draft, grip: Grip, states: Sequence[RegionState]) -> Word:
    """As `finish`, with the lock held: `released` where the run before this one had done all but tell it."""
    if grip.before is None:
        say("it is live everywhere already: nothing to do")
        return "unchanged"
    say(f"run {grip.before.run[:8]} ended after its last step and before it said so: that is done now", warn=True)
    draft.begun = True
    draft.learn(regions=tuple(map(_result, states)))
    if grip.environment.maintenance.mode != "off":
        await switch_off(grip.environment, (state.region for state in states))
    live = [(state.region, state.route.live) for state in states if state.route and state.route.live]
    await asyncio.gather(
        *(
            notify.settle_deployment(
                record.artifact.commit,
                deployment_name(grip.environment, region),
                grip.before.run,
                f"{shown(record.artifact.version)} is live",
                grip.environment.regions[region].address,
            )
            for region, record in live
        )
    )
    return "released"


def _result(state: RegionState) -> RegionResult:
    ready = sum(pod.ready and not pod.terminating for pod in state.slot(state.live_slot).pods)
    live = state.route.live if state.route else None
    version, digest = (live.artifact.version, live.artifact.digest) if live else ("", "")
    return RegionResult(state.region, "released", version, digest, ready)
