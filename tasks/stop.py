"""The sign by which one region's failure, a lost lock or a person stops the other regions of a run."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from release.errors import Halted, Spared
from release.steering import Order, Steering
from tasks.say import say


@dataclass(slots=True)
class Stop:
    """Raised once, seen by all. `lost_lock` says that nothing at all may be touched any more; `lapses` until when the
    lock is held at least, in seconds since the epoch; `moves` that somebody is moving a region's users."""

    event: asyncio.Event = field(default_factory=asyncio.Event)
    reason: str = ""
    lost_lock: bool = False
    steering: Steering = Steering()
    lapses: float = 0.0
    moves: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    def now(self, reason: str, *, lost_lock: bool = False) -> None:
        if not self.event.is_set():
            self.reason, self.lost_lock = reason, lost_lock
        self.lost_lock = self.lost_lock or lost_lock
        self.event.set()


class Stopped(Spared):
    """This region did nothing wrong: it was stopped because of another."""


class Aborted(Spared):
    """A person ended the release: what it changed is taken back."""


_current: ContextVar[Stop | None] = ContextVar("stop", default=None)


@contextmanager
def stopping() -> Iterator[Stop]:
    """A sign for the run's regions; tasks and subflows inside see it."""
    stop = Stop()
    token = _current.set(stop)
    try:
        yield stop
    finally:
        _current.reset(token)


def current() -> Stop | None:
    """The sign of the release that is under way; None outside one."""
    return _current.get()


def fail(region: str) -> None:
    """Stop the other regions now: this one has failed, whatever it still does before it says so."""
    stop = _current.get()
    if stop is not None:
        stop.now(f"{region} failed")


def check(region: str | None = None, *, recovering: bool = False) -> None:
    """Raises Halted when the lock was lost, Stopped when another region failed; a recovery minds only the lock."""
    check_lock(region)
    stop = _current.get()
    if stop is None or recovering:
        return
    if stop.event.is_set():
        raise Stopped(f"stopped, because {stop.reason}", region=region)
    if (order := stop.steering.aborted) is not None:
        raise Aborted(f"aborted by {order.who}: {order.reason}", region=region, next_step="Nothing; it was asked for.")


@asynccontextmanager
async def moving(region: str, *, back: bool) -> AsyncIterator[None]:
    """The run's only one to move the region's users. Raises as `check` unless it is the way `back`.

    A move forward that is under way when the verdict falls would else reach the API server after the one back.
    """
    stop = _current.get() or Stop()
    async with stop.moves[region]:
        check(region, recovering=back)
        yield


async def pause(region: str | None = None) -> None:
    """Wait while a person holds the release; raises as `check`."""
    stop = _current.get()
    told = False
    while stop is not None and (order := stop.steering.held) is not None:
        if not told:
            told = True
            say(f"held by {order.who}{': ' + order.reason if order.reason else ''}", region=region, warn=True)
        check(region)
        await asyncio.sleep(0.25)
    if told:
        say("goes on", region=region)
    check(region)


def promoted() -> Order | None:
    """The order by which a person took the verdict upon himself, if there is one."""
    stop = _current.get()
    return stop.steering.promoted if stop else None


def check_lock(region: str | None = None) -> None:
    """Raises Halted when the lock was lost: another run may be at work."""
    stop = _current.get()
    if stop is not None and stop.lost_lock:
        raise Halted(
            f"stopped, because {stop.reason}",
            region=region,
            next_step="See who holds the lock with `tidegate status`, then run the release again.",
        )
