"""The environment's lock, held for the length of a release and renewed while it runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from uuid import uuid4

from prefect import task
from prefect.states import Crashed

from clients.lock import Lock
from release import locking
from release.environment import Environment
from release.errors import Refused, TidegateError, Unavailable
from release.locking import Holder, Recovering, Take, Wait
from release.steering import Steering, steering
from tasks import ballot, context, ending, stop, threads
from tasks.policy import PATIENT, RETRY
from tasks.say import say

_ASK_AGAIN = 2.0
_LISTEN = 1.0
# Another process of this run that lives looks so often, and may have a write under way.
_NOTICE = _LISTEN + 2.0
# When this run won its lock, in monotonic seconds.
_won: ContextVar[float | None] = ContextVar("won", default=None)


def seconds_since_won() -> float:
    """How long ago this run won its lock; 0 where it never did."""
    won = _won.get()
    return 0.0 if won is None else time.monotonic() - won


@dataclass(frozen=True, slots=True)
class Won:
    """The lock is this process's: `before` held it before (None for nobody), and may still act for `acts` seconds."""

    before: Holder | None
    acts: float = 0.0


@dataclass(slots=True)
class Grip:
    """A lock that is held. `before` is the dead run of the same release that had it, or this very run before it was
    started again; `recovering` is what that one left: it was going back."""

    environment: Environment
    me: Holder
    sign: stop.Stop
    recovering: Recovering | None = None
    before: Holder | None = None

    async def note_recovery(self, going: Recovering) -> None:
        """Write on the lock that this release is being taken back: a run started again goes on with that.

        Where the lock's API server is away, the way back does not wait for it: the next renewal writes it.
        """
        self.me = replace(self.me, note=going.note)
        try:
            await note(self.environment, self.me)
        except Unavailable as error:
            say(f"the lock does not say yet that the release goes back ({error.what}); it goes back now", warn=True)

    async def note_threads(self, text: str) -> None:
        """Write the run's messages in Slack on the lock: a run started again goes on under them."""
        self.me = replace(self.me, threads=text)
        await note(self.environment, self.me)

    async def look(self) -> None:
        """Learn at once what people ordered, not with the next renewal. A region that is away says nothing."""
        try:
            async with _lock(self.environment) as lock:
                self.sign.steering = steering((await lock.mine(self.me)).orders)
        except Unavailable:
            return
        except TidegateError as error:
            self.sign.now(str(error), lost_lock=True)


def _lock(environment: Environment) -> Lock:
    return context.lock(next(iter(environment.regions.values())))


@task(task_run_name="lock {environment.name}", **PATIENT)
async def take(environment: Environment, me: Holder) -> Won | Wait:
    """Try once. Raises Refused over another release's recovery."""
    async with _lock(environment) as lock:
        state = await lock.read()
        before = state.held.holder if state.held else None
        decision = locking.may_take(state.held, me, state.now)
        unfinished = locking.recovering(before) is not None and before is not None and before.what != me.what
        if isinstance(decision, Take) and before is not None and unfinished:
            raise Refused(
                f"{before.what} was being taken back when its run died ({before.note}).",
                field="lock",
                next_step="Start that release again to finish going back, or `tidegate unlock` if it does not matter.",
            )
        decision = await lock.acquire(me, environment.lock_lease)
        if isinstance(decision, Wait):
            return decision
        regional = environment.dispatch == "regional"
        return Won(before, locking.still_acts(state.held, me, state.now, _NOTICE, regional=regional))


@task(task_run_name="note on the lock of {environment.name}", **RETRY)
async def note(environment: Environment, me: Holder) -> None:
    """Write on the lock what `me` says. Raises LockLost where it is not this process's any more."""
    async with _lock(environment) as lock:
        await lock.note(me)


@task(task_run_name="unlock {environment.name}", **RETRY)
async def give_back(environment: Environment, me: Holder) -> Steering:
    """What people had ordered until it was given back."""
    async with _lock(environment) as lock:
        held = await lock.release(me)
    return steering(held.orders if held else ())


@task(task_run_name="is {what} to be taken back", **PATIENT)
async def left_recovering(environment: Environment, what: str) -> bool:
    """Whether a run of this release died while it went back: the next one goes on with that."""
    async with _lock(environment) as lock:
        found = (await lock.read()).held
    return found is not None and found.holder.what == what and locking.recovering(found.holder) is not None


@task(task_run_name="was {what} concluded", **PATIENT)
async def not_concluded(environment: Environment, what: str) -> bool:
    """Whether a run of this release, dead or alive, still has the lock: the release was not concluded yet."""
    async with _lock(environment) as lock:
        found = (await lock.read()).held
    return found is not None and found.holder.what == what


@asynccontextmanager
async def held(
    environment: Environment, who: str, what: str, *, wait: bool, still: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[Grip]:
    """Hold the lock. Raises LockHeld naming the holder, unless asked to wait; it is given back whatever happens.

    While it waits, and before it takes the lock after that, `still` raises when there is no reason to wait any more.
    A process of the same run that still lives loses it, and is left the time to notice.
    """
    told = threads.current()
    me = Holder(context.run_id(), who, what, threads=told.text, process=uuid4().hex)
    won = await _taken(environment, me, wait, still)
    before = won.before
    _won.set(time.monotonic())
    if before is not None and before.run != me.run:
        message = f"Its process ended without a word; run {me.run[:8]} took over its lock."
        await ending.end(before.run, Crashed(message=message))
    with stop.stopping() as sign:
        # Won a moment ago; its first renewal comes before half of the lease has passed.
        sign.lapses = time.time() + environment.lock_lease / 2
        grip = Grip(environment, me, sign)
        if before is not None and before.what == what:
            grip.recovering, grip.before = locking.recovering(before), before
            told.adopt(before.threads)
            grip.me = replace(me, threads=told.text)
        told.keep = grip.note_threads
        renewing = asyncio.create_task(renew(grip))
        # Beside the release: a database that is away must not keep a rollback waiting.
        closing = asyncio.create_task(ballot.end_others(environment.name))
        try:
            await alone(won, sign)
            yield grip
        finally:
            told.keep = None
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait((renewing, closing))
            await _let_go(grip)


async def _taken(environment: Environment, me: Holder, wait: bool, still: Callable[[], Awaitable[None]] | None) -> Won:
    told = ""
    while True:
        found = await take(environment, me)
        if not isinstance(found, Wait):
            return found
        if not wait:
            raise locking.held_by_another(found)
        if told != found.held.holder.run:
            told = found.held.holder.run
            say(f"waiting for {found.held.holder.what}, started by {found.held.holder.who}")
        await asyncio.sleep(min(_ASK_AGAIN, found.seconds))
        if still is not None:
            await still()


async def alone(won: Won, sign: stop.Stop) -> None:
    """Wait while the process that had the lock may still act. Raises Halted where it was lost meanwhile."""
    if won.acts:
        say(f"goes on in {won.acts:.0f} s, when no other process of this run can be at work any more")
        with suppress(TimeoutError):
            await asyncio.wait_for(sign.event.wait(), won.acts)
        stop.check_lock()


async def _let_go(grip: Grip) -> None:
    try:
        late = (await asyncio.shield(give_back(grip.environment, grip.me))).aborted
    except TidegateError as error:
        say(f"the lock was not given back ({error}); it lapses by itself", warn=True)
        return
    if late is not None and grip.sign.steering.aborted is None:
        say(f"{late.who}'s abort came after the last step: `tidegate rollback` takes the release back", warn=True)


async def renew(grip: Grip) -> None:
    """Renew at a third of the lease, look for people's orders more often; a lock that is lost stops everything."""
    lease = grip.environment.lock_lease
    renewed = time.monotonic()
    while True:
        await asyncio.sleep(min(_LISTEN, lease / 3))
        try:
            async with _lock(grip.environment) as lock:
                if time.monotonic() - renewed >= lease / 3:
                    lapses = time.time() + lease
                    held = await lock.renew(grip.me, lease)
                    renewed, grip.sign.lapses = time.monotonic(), lapses
                else:
                    held = await lock.mine(grip.me)
            grip.sign.steering = steering(held.orders)
        except Unavailable:
            if time.monotonic() - renewed > lease:
                grip.sign.now("the lock could not be renewed and may have lapsed.", lost_lock=True)
                return
        except TidegateError as error:
            grip.sign.now(str(error), lost_lock=True)
            return
