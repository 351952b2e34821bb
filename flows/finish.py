"""The end of a release whose run died between its last step and its conclusion: nothing is left but to say so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from flows.conclude import Draft
from flows.region import deployment_name, unchanged
from release.environment import Environment
from release.model import RegionState
from release.outcome import Word
from release.versions import shown
from tasks import github_deployments
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
    draft.learn(regions=tuple(replace(unchanged(state), outcome="released") for state in states))
    if grip.environment.maintenance.mode != "off":
        await switch_off(grip.environment, (state.region for state in states))
    live = [(state.region, state.route.live) for state in states if state.route and state.route.live]
    await asyncio.gather(
        *(
            github_deployments.settle(
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
