"""The two ways of a rollback: back as a recovery goes, or to a named version in place."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from config import load
from flows import common
from flows.conclude import Draft
from flows.finish import finished
from flows.region import in_region, recover
from flows.waves import ASK, release_waves
from release.appfile import AppFile
from release.model import Artifact, RegionState
from release.outcome import RegionResult, Word, halted
from release.rollback import Move
from release.strategy import Want
from tasks import context, image, rollback, source
from tasks.lock import Grip


async def back_to_last_good(
    draft: Draft, grip: Grip, order: tuple[str, ...], bad: Want, moves: Sequence[Move], app: AppFile
) -> Word:
    """As a recovery goes: traffic first, in all regions at once, then what is left behind."""
    own_chart = load.settings().application.chart is not None
    checkout = await source.checkout(moves[0].good.commit, context.run_id()) if own_chart else None
    draft.begun = True
    recovered = await recover(grip.environment, order, bad, context.chart(checkout), app)
    results = tuple(replace(one, outcome="released") if one.outcome == "recovered" else one for one in recovered)
    draft.learn(regions=results)
    why = halted(results)
    if why:
        draft.learn(reason=why, next_step=next((one.next_step for one in results if one.next_step), ASK))
        return "halted"
    return "released"


async def forward_to(
    draft: Draft, grip: Grip, waves: tuple[tuple[str, ...], ...], states: list[RegionState], artifact: Artifact
) -> Word:
    """Deploy the version in place with production's checks; where it fails, back to what was live."""
    environment = grip.environment
    want = common.wanted(environment, artifact, "rolling")
    if common.all_settled(states, want) and not grip.recovering:
        return await finished(draft, grip, states)
    checkout = await source.checkout(artifact.commit, context.run_id())
    await common.check_regions(environment, states, artifact, checkout)
    await image.promote(artifact.digest, f"v{artifact.version}")
    word = await release_waves(draft, grip, waves, want, checkout, _in_place)
    if word == "released":
        await asyncio.gather(*(rollback.forget_bad(environment.regions[state.region]) for state in states))
    return word


async def _in_place(region: str, environment: str, artifact: Artifact, checkout: Path, strategy: str) -> RegionResult:
    del strategy
    return await in_region(region, environment, artifact, checkout, "rolling")
