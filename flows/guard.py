"""The rollback window: an absolute limit goes on being watched after a release, and pages or goes back."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from config import load
from flows import common
from flows.conclude import Draft, conclude
from flows.forms import EnvironmentWord
from flows.waves import take_back
from release import messages
from release.environment import Environment, Region
from release.errors import Failed
from release.model import RegionState
from release.outcome import Outcome, Word
from release.strategy import is_live, other
from release.verdict import Kind, Limit, start_watch, watch
from tasks import context, deploy, metrics, notify, source, stop
from tasks.lock import held
from tasks.say import say


@flow(name="guard", flow_run_name="{environment} for the rollback window")
async def guard(environment: EnvironmentWord = "production", actor: str = "unknown") -> State[Outcome]:
    """Watch what is live until its rollback window ends, or until another release begins.

    Args:
        environment: production, as a rule.
        actor: Who started it.
    """
    where = load.environment(environment)
    states = await common.observed(where, where.regions)
    live = [state.route.live for state in states if state.route and state.route.live]
    version = live[0].artifact.version if live else ""
    start = Outcome("guard", "unchanged", version=version)
    return await conclude(start, partial(_guard, where, states, actor), partial(_tell, actor))


async def _guard(where: Environment, states: list[RegionState], actor: str, draft: Draft) -> Word:
    ends = time.monotonic() + where.progressive.window
    watched = [
        watch_limit(where, where.regions[state.region], where.guard.limit, where.guard.alpha, ends) for state in states
    ]
    try:
        await asyncio.gather(*watched)
    except Failed as bad:
        draft.learn(reason=f"{bad.region}: {bad.what}")
        if where.guard.on_bad == "page":
            raise
        return await _take_back(where, states, actor, draft)
    return "unchanged"


async def _take_back(where: Environment, before: list[RegionState], actor: str, draft: Draft) -> Word:
    live = next(state.route.live for state in before if state.route and state.route.live)
    bad = common.wanted(where, live.artifact, "rolling")
    async with held(where, actor, f"guard v{live.artifact.version}", wait=False) as grip:
        for state in await common.observed(where, where.regions):
            if state.route is None or not is_live(state.route.live, bad):
                say("another version went live meanwhile: nothing is taken back", region=state.region)
                return "unchanged"
        checkout = await source.checkout(live.artifact.commit, context.run_id())
        return await take_back(draft, grip, tuple(where.regions), bad, checkout)


async def watch_limit(where: Environment, region: Region, limit: float, alpha: float, ends: float) -> None:
    """Hold the region's error rate against a limit until `ends` (monotonic seconds). Raises Failed above it."""
    state = start_watch(Limit(limit, alpha), stale_after=where.judged.policy.stale_after)
    observed = await deploy.observe(region)
    live = observed.live_slot
    async with metrics.reader(region, where.judged.provider) as read:
        while time.monotonic() < ends:
            stop.check(region.name)
            state, found = watch(state, await read(live, other(live)), time.monotonic())
            if found.action is Kind.ROLLBACK:
                raise Failed(found.sentence, region=region.name, next_step="See what changed; `tidegate rollback`.")
            await asyncio.sleep(where.judged.poll)
    say(found.sentence if state.began is not None else "nothing was seen", region=region.name)


async def _tell(actor: str, outcome: Outcome) -> None:
    if not outcome.good:
        text = messages.incident(outcome, actor, load.settings().slack.on_call)
        await notify.slack("incidents", text)
