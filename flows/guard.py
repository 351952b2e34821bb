"""The rollback window: an absolute limit goes on being watched after a release, and pages or goes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import aclosing
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from config import load
from flows import common
from flows.conclude import Draft, conclude
from flows.forms import EnvironmentWord
from flows.limit import verdicts
from flows.waves import take_back
from release import messages, window
from release.environment import Environment
from release.errors import Failed, Halted, Refused, Unavailable
from release.model import Record, RegionState
from release.outcome import Outcome, Word
from release.strategy import is_live
from release.verdict import Kind
from tasks import clock, context, deploy, guarding, notify, source
from tasks.lock import held
from tasks.say import say

# Seconds between two looks at who else is at work.
_LOOK = 5.0


@flow(name="guard", flow_run_name="{environment} for the rollback window")
async def guard(environment: EnvironmentWord = "production", actor: str = "unknown") -> State[Outcome]:
    """Watch what went live until its rollback window ends, or until another release begins.

    Started again it goes on with what is left of the window; one guard a window is enough.

    Args:
        environment: production, as a rule.
        actor: Who started it.
    """
    where = load.environment(environment)
    return await conclude(Outcome("guard", "unchanged"), partial(_guard, where, actor), partial(_tell, actor))


async def left_open(where: Environment, draft: Draft, states: Sequence[RegionState] | None = None) -> None:
    """At the end of a release: say until when its window is open, and whether a worker watches it.

    `states` are given where nothing was changed; else the window begins now, or a little before.
    """
    if states is None:
        end = clock.later(where.progressive.window) if where.progressive.window > 0 else ""
    else:
        end = window.last([window.of_region(one, where.progressive.window, clock.now()) for one in states])
    if end:
        draft.learn(window=end, guard="worker" if await guarding.served() else "")


async def _guard(where: Environment, actor: str, draft: Draft) -> Word:
    open_in = await _open(where)
    if not open_in:
        say("no rollback window is open: nothing is watched")
        return "unchanged"
    version, end = open_in[0][1].artifact.version, window.last([end for _, _, end in open_in])
    draft.learn(version=version, window=end)
    with guarding.alone(where.name, end) as mine:
        if not mine:
            say(f"v{version} is watched already, until {end}")
            return "unchanged"
        say(f"v{version} is watched until {end}: at most {where.guard.limit:.1%} errors, else {where.guard.on_bad}")
        try:
            await _all([watch_limit(where, *one) for one in open_in])
        except Failed as bad:
            draft.condemned = bad.condemns
            draft.learn(reason=f"{bad.region}: {bad.what}")
            if where.guard.on_bad == "page":
                raise
            live = next(record for name, record, _ in open_in if name == bad.region)
            try:
                return await _take_back(where, live, end, actor, draft)
            except (Refused, Unavailable) as error:  # who must hear of it is told of the bad version too
                what = f"{bad.what} It was not taken back: {error.what}"
                raise Halted(what, region=bad.region, next_step=error.next_step) from error
    return "unchanged"


async def _open(where: Environment) -> list[tuple[str, Record, str]]:
    """Region, what went live there, and when its window closes; Raises Unavailable where no region answers."""
    answers = await asyncio.gather(*(deploy.observe(one) for one in where.regions.values()), return_exceptions=True)
    found, missed, shut = [], [], []
    for name, state in zip(where.regions, answers, strict=True):
        if isinstance(state, Unavailable):
            missed.append(state)
            say(f"is not watched: {state}", region=name, warn=True)
        elif isinstance(state, BaseException):
            raise state
        elif (end := window.of_region(state, where.progressive.window, clock.now())) and state.route:
            assert state.route.live is not None
            found.append((name, state.route.live, end))
        elif state.route and state.route.live:
            shut.append((name, state.route.live))
    if missed and not found:
        raise missed[0]
    for name, live in shut:
        if any(live.artifact == one.artifact for _, one, _ in found):
            closed = window.ends(live, where.progressive.window)
            say(f"is not watched: its window closed at {closed}, before the other regions'", region=name, warn=True)
    return found


async def _all(watching: Sequence[Coroutine[None, None, None]]) -> None:
    """All of them, until one is above its limit: the others end then too. Raises the first one's error."""
    tasks = [asyncio.create_task(one) for one in watching]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def watch_limit(where: Environment, name: str, live: Record, end: str) -> None:
    """Hold the region's error rate against the limit until the window ends. Raises Failed above it.

    It ends before where another release begins or another version is live. No lock is held meanwhile.
    """
    region, looked, said = where.regions[name], time.monotonic(), "nothing was seen"
    async with aclosing(verdicts(where, region, [where.guard.absolute])) as looks:
        async for found in looks:
            if window.left(end, clock.now()) <= 0:
                break
            bad, said = found.action is Kind.ROLLBACK, found.sentence
            if bad or time.monotonic() - looked >= _LOOK:
                looked = time.monotonic()
                if why := await _overtaken(where, name, live):
                    say(f"is no longer watched: {why}", region=name)
                    return
            if bad:
                raise Failed(found.sentence, region=name, next_step="See what changed; `tidegate rollback`.")
    say(said, region=name)


async def _overtaken(where: Environment, name: str, live: Record) -> str:
    try:
        state, holder, now = await guarding.look(where, where.regions[name])
    except Unavailable:
        return ""  # users are served without the API server, so they are watched without it
    return window.overtaken(live, state, holder, now)


async def _take_back(where: Environment, live: Record, end: str, actor: str, draft: Draft) -> Word:
    """Wherever that version is live, under the lock, for which it waits as long as the window is open. Raises Refused
    where it is live nowhere any more."""
    bad = window.bad(common.wanted(where, live.artifact, "rolling"), live)

    async def still() -> None:
        if window.left(end, clock.now()) == 0:
            raise Refused("the rollback window closed while another run was at work.", field="lock")

    async with held(where, actor, f"guard v{live.artifact.version}", wait=True, still=still) as grip:
        states = await common.observed(where, where.regions, hurry=True)
        if not any(state.route is not None and is_live(state.route.live, bad) for state in states):
            raise Refused("another version went live meanwhile.", next_step="See with `tidegate status` what is live.")
        draft.learn(digest=live.artifact.digest, commit=live.artifact.commit)
        checkout = await source.checkout(live.artifact.commit, context.run_id())
        return await take_back(draft, grip, tuple(where.regions), bad, checkout)


async def _tell(actor: str, outcome: Outcome) -> None:
    if not outcome.good:
        text = messages.in_window(outcome, actor, load.settings().slack.on_call)
        await notify.slack("incidents", text)
