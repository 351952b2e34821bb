"""Regions in waves, side by side within one; the first failure stops the rest, and all that changed goes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from prefect.logging import get_run_logger

from flows.between import between
from flows.common import lockstep
from flows.conclude import Draft
from flows.lockstep import Lockstep
from flows.quarantine import harm_done
from flows.region import in_region, recover
from flows.users_back import users_first
from release import messages
from release.errors import Failed, Spared, TidegateError
from release.locking import Recovering
from release.model import Artifact
from release.outcome import RegionResult, Word, after_recovery, halted, of_error
from release.strategy import Want
from tasks import board, context, source, stop, threads
from tasks.lock import Grip
from tasks.say import say

Waves = tuple[tuple[str, ...], ...]


ASK = "A person must decide; the regions named are as they were left."
# One region of a release: its name, the environment's, the artifact, the checkout and the strategy.
InRegion = Callable[[str, str, Artifact, Path, str], Awaitable[RegionResult]]


async def release_waves(
    draft: Draft,
    grip: Grip,
    waves: Waves,
    want: Want,
    checkout: Path,
    each: InRegion = in_region,
    *,
    guarded: bool = False,
) -> Word:
    """Release to every region (by `each`), or bring every changed one back. The draft learns each region's result.

    `guarded` holds each region that is done to the guard's limit until the others are. A run that takes over from one
    that died while it went back goes on going back.
    """
    draft.begun, order = True, tuple(region for wave in waves for region in wave)
    left: dict[str, int] = {}
    board.begin(f"regions-{draft.outcome.pipeline}", order)
    if (going := grip.recovering) is not None:
        draft.condemned, order = going.condemned, going.only or order
        draft.learn(reason=going.reason)
        say(f"goes on taking v{want.artifact.version} back: {going.reason}", warn=True)
    else:
        affected = partial(_affected, draft, grip, order)
        async with users_first(grip, affected, want, source.application_file(checkout)) as left:
            try:
                await forward(draft, grip, waves, want, checkout, each, guarded=guarded)
            except TidegateError as error:
                failure = error
                grip.sign.now(str(error))
            else:
                return "released"
        _, reason, next_step = of_error(failure)
        draft.condemned = isinstance(failure, Failed) and failure.condemns
        draft.learn(reason=reason, next_step=next_step)
        say(f"stops here: {reason}", warn=True)
        order = affected()
    return await take_back(draft, grip, order, want, checkout, left)


def _affected(draft: Draft, grip: Grip, order: tuple[str, ...]) -> tuple[str, ...]:
    """The regions to be taken back: all, or without those that took the version, where the environment asks for it."""
    if grip.environment.recover == "all" or grip.sign.steering.aborted is not None:
        return order
    done = {one.region for one in draft.outcome.regions if one.outcome == "released"}
    return tuple(region for region in order if region not in done)


async def take_back(
    draft: Draft,
    grip: Grip,
    order: tuple[str, ...],
    bad: Want,
    checkout: Path,
    left: Mapping[str, int] | None = None,
) -> Word:
    """Bring every changed region back; a run that dies meanwhile is gone on with by the next one. `left` as `recover`
    has it. In production a version that is to blame is quarantined."""
    draft.begun = True
    stop.check_lock()
    only = order if grip.environment.recover == "failed" else ()
    await grip.note_recovery(Recovering(draft.outcome.reason, draft.condemned, only))
    app, began = source.application_file(checkout), time.monotonic()
    recovered = await recover(grip.environment, order, bad, context.chart(checkout), app, left)
    draft.learn(recovery=time.monotonic() - began)
    word = _folded(draft, recovered)
    if word == "recovered" and grip.environment.name == "production":
        await harm_done(draft, grip, bad.artifact)
    return word


async def forward(
    draft: Draft, grip: Grip, waves: Waves, want: Want, checkout: Path, each: InRegion, *, guarded: bool = False
) -> None:
    """Raises the first region's error, and where a person or a lost lock ends the release between two waves. When it is
    `guarded`, a region that turns bad after it was done has failed, too."""
    strategy = draft.outcome.strategy
    limit = asyncio.Semaphore(grip.environment.parallel)
    failures: list[TidegateError] = []

    def failed(region: str, error: TidegateError) -> None:
        failures.append(error)
        draft.learn(regions=tuple(one for one in draft.outcome.regions if one.region != region))
        _show(region, "failed")
        grip.sign.now(f"{region} failed")

    async def one(region: str, watch: Callable[[str], None]) -> None:
        async with limit:
            if grip.sign.event.is_set():
                return
            draft.exposed(region)
            _show(region, board.UNDER_WAY)
            try:
                result = await each(region, grip.environment.name, want.artifact, checkout, strategy)
            except stop.Stopped:
                return
            except TidegateError as error:
                failed(region, error)
            except Exception as error:  # a mistake of ours must not leave a region half released
                failed(region, _ours(region, error))
            else:
                draft.learn(regions=(*draft.outcome.regions, result))
                _tell(draft, grip, waves)
                if guarded:
                    watch(region)

    try:
        async with between(grip.environment, lambda error: failed(error.region or "", error)) as watch:
            for wave in waves:
                await stop.pause()
                say(f"wave: {', '.join(wave)}")
                # Steps are taken together only where all regions of the wave may run at once.
                lockstep.set(Lockstep(wave) if len(wave) <= grip.environment.parallel else None)
                await asyncio.gather(*(one(region, watch) for region in wave))
                if failures:
                    raise failures[0]
            # Whoever was told that his abort is taken must not see the release end well.
            await grip.look()
            stop.check()
    except stop.Stopped:
        if failures:
            raise failures[0] from None
        raise


def _show(region: str, outcome: str) -> None:
    if (table := board.current()) is not None:
        table.says(region, outcome)


def _tell(draft: Draft, grip: Grip, waves: Waves) -> None:
    """Prefect's table and the thread's first message say how far the release is."""
    if (table := board.current()) is not None:
        table.ended(draft.outcome.regions)
    if grip.environment.name == "production":
        threads.current().edit("releases", messages.under_way(draft.outcome, waves, grip.me.who))


def _ours(region: str, error: Exception) -> Failed:
    get_run_logger().exception("%s: an error of Tidegate itself", region, extra={"region": region})
    return Spared(
        f"an error of Tidegate itself ({type(error).__name__}: {error}).",
        region=region,
        next_step="Please report it, with the log of this run.",
    )


def _folded(draft: Draft, recovered: list[RegionResult]) -> Word:
    """The recovery's results stand; a region that failed keeps why."""
    touched = [result for result in recovered if result.outcome != "unchanged"]
    word = after_recovery(touched)
    where, _, why = draft.outcome.reason.partition(": ")
    told = tuple(replace(one, reason=one.reason or why) if one.region == where else one for one in recovered)
    again = {one.region for one in told}
    kept = tuple(one for one in draft.outcome.regions if one.region not in again)
    draft.learn(regions=(*told, *kept))
    stuck = halted(touched)
    if stuck:
        draft.learn(
            reason=f"{draft.outcome.reason} And it could not be taken back everywhere: {stuck}",
            next_step=next((result.next_step for result in touched if result.next_step), ASK),
        )
    return word
