"""The sign by which one region's failure, a lost lock or a person stops the other regions of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from release.errors import Failed, Halted


@dataclass(slots=True)
class Stop:
    """Raised once, seen by all. `lost_lock` says that nothing at all may be touched any more."""

    event: asyncio.Event = field(default_factory=asyncio.Event)
    reason: str = ""
    lost_lock: bool = False

    def now(self, reason: str, *, lost_lock: bool = False) -> None:
        if not self.event.is_set():
            self.reason, self.lost_lock = reason, lost_lock
        self.lost_lock = self.lost_lock or lost_lock
        self.event.set()


class Stopped(Failed):
    """This region did nothing wrong: it was stopped because of another."""


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


def check(region: str, *, recovering: bool = False) -> None:
    """Raises Halted when the lock was lost, Stopped when another region failed; a recovery minds only the lock."""
    check_lock(region)
    stop = _current.get()
    if stop is not None and stop.event.is_set() and not recovering:
        raise Stopped(f"stopped, because {stop.reason}", region=region)


def check_lock(region: str | None = None) -> None:
    """Raises Halted when the lock was lost: another run may be at work."""
    stop = _current.get()
    if stop is not None and stop.lost_lock:
        raise Halted(
            f"stopped, because {stop.reason}",
            region=region,
            next_step="See who holds the lock with `tidegate status`, then run the release again.",
        )
