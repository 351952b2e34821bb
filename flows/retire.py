"""Removing the slots that were kept for a rollback window that is over."""

from __future__ import annotations

import asyncio
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from config import load
from flows.conclude import Draft, conclude
from flows.far import Errand, send
from flows.forms import EnvironmentWord
from release import live, values
from release.environment import Environment
from release.errors import TidegateError
from release.outcome import Outcome, RegionResult, Word, of_error
from tasks import autoscaling, clock, deploy, retiring
from tasks.lock import held
from tasks.say import say


@flow(name="retire", flow_run_name="{environment} by {actor}")
async def retire(
    environment: EnvironmentWord = "production", actor: str = "unknown", wait_for_lock: bool = False
) -> State[Outcome]:
    """Remove, in every region, the slot whose rollback window is over. Nothing else is touched.

    Args:
        environment: development, staging or production.
        actor: Who asked for it.
        wait_for_lock: Wait for a release that is under way instead of refusing.
    """
    start = Outcome("retire", "refused", version=environment)
    return await conclude(start, partial(_retire, environment, actor, wait_for_lock), _tell)


async def _retire(name: str, actor: str, wait_for_lock: bool, draft: Draft) -> Word:
    environment = load.environment(name)
    if await _nothing_due(environment):
        draft.learn(regions=tuple(RegionResult(region, "unchanged") for region in environment.regions))
        return "unchanged"
    async with held(environment, actor, f"retire in {name}", wait=wait_for_lock):
        results = await retire_due(environment)
    draft.learn(regions=tuple(results))
    missed = [result for result in results if result.outcome == "unavailable"]
    if missed:
        draft.learn(reason=missed[0].reason, next_step="Run it again; what is due stays due.")
        return "unavailable"
    return "released" if any(result.outcome == "released" for result in results) else "unchanged"


async def _nothing_due(environment: Environment) -> bool:
    """Whether no region has anything to remove: then nobody is kept from the lock, however often this is asked."""
    try:
        states = await asyncio.gather(*(deploy.observe(region) for region in environment.regions.values()))
    except TidegateError:
        return False  # which region it is, and why, is told under the lock
    return all(live.due(state, clock.now()) is None for state in states)


async def retire_due(environment: Environment) -> list[RegionResult]:
    """Under the environment's lock: remove what is due. A region that does not answer is told of and left."""
    return list(await asyncio.gather(*(_in_region(environment, name) for name in environment.regions)))


async def _in_region(environment: Environment, name: str) -> RegionResult:
    try:
        if environment.dispatch == "local":
            return await retire_here(environment, name)
        state = await deploy.observe(environment.regions[name])
        if live.due(state, clock.now()) is None or state.route is None or state.route.live is None:
            return RegionResult(name, "unchanged")
        return await send(Errand("retire", environment, name, state.route.live.artifact))
    except TidegateError as error:
        say(f"what is due was not removed: {error}", region=name, warn=True)
        return RegionResult(name, "unavailable", reason=of_error(error)[1])


async def retire_here(environment: Environment, name: str) -> RegionResult:
    """Remove what is due in a region that this process reaches. Raises what keeps it from that."""
    region = environment.regions[name]
    state = await deploy.observe(region)
    slot = live.due(state, clock.now())
    if slot is None:
        return RegionResult(name, "unchanged")
    version = release.version if (release := state.slot(slot).release) else ""
    await deploy.uninstall(region, slot)
    await retiring.forget(region)
    if (least := values.least(environment)) is not None:
        await autoscaling.free(region, state.live_slot, least)
    say(f"v{version} in {slot} is gone: its rollback window is over", region=name)
    return RegionResult(name, "released", reason=f"v{version} removed from {slot}")


async def _tell(outcome: Outcome) -> None:
    """Nobody: it changes nothing that users see."""
