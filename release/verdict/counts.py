"""What a verdict is made of: counters read at the gateway, and their differences. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Gap(StrEnum):
    """Why a stretch of time says nothing."""

    FIRST = "first reading"
    PROVIDER = "metrics do not answer"
    STALE = "metrics stand still"
    RESET = "counters started again"
    NO_TRAFFIC = "no requests"
    NO_CANARY = "no requests for the canary"
    NO_STABLE = "no requests for the stable version"


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests, the errors among them, and how many were answered within each of the sample's bounds."""

    requests: int = 0
    errors: int = 0
    within: tuple[int, ...] = ()

    @property
    def rate(self) -> float:
        """Errors a request; 0 without requests."""
        return self.errors / self.requests if self.requests else 0.0

    def plus(self, other: Counts) -> Counts:
        return Counts(self.requests + other.requests, self.errors + other.errors, _sum(self.within, other.within))

    def since(self, earlier: Counts) -> Counts:
        """What was counted after `earlier`; a counter that appeared since then counts from zero."""
        minus = tuple(-number for number in earlier.within)
        return self.plus(Counts(-earlier.requests, -earlier.errors, minus))

    def possible(self) -> bool:
        """Whether this can be a difference of counters that only grow."""
        return self.requests >= 0 and self.errors >= 0 and min(self.within, default=0) >= 0


@dataclass(frozen=True, slots=True)
class Sample:
    """A region's counters since they began, at `at` (seconds since the epoch, by the clock of who counted).

    `canary` and `stable` are counted at the slots' Services. `route` is counted at the route: only there are
    errors seen that no Service made; None where the gateway does not count by route. `entry` is the entry point's.
    `bounds` are the histogram's upper bounds in seconds, without infinity.
    """

    at: float
    canary: Counts
    stable: Counts
    route: Counts | None = None
    entry: Counts | None = None
    bounds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """Errors a request (0 to 1) over a window that ended at `at`; `requests` is None where nobody told."""

    rate: float
    requests: int | None
    at: float


@dataclass(frozen=True, slots=True)
class Block:
    """What was counted in `seconds`; with a `gap` it says nothing."""

    seconds: float
    canary: Counts = Counts()
    stable: Counts = Counts()
    route: Counts | None = None
    entry: int = 0
    bounds: tuple[float, ...] = ()
    gap: Gap | None = None


def _sum(some: tuple[int, ...], others: tuple[int, ...]) -> tuple[int, ...]:
    if len(some) < len(others):
        some = some + (0,) * (len(others) - len(some))
    elif len(others) < len(some):
        others = others + (0,) * (len(some) - len(others))
    return tuple(one + other for one, other in zip(some, others, strict=True))
