"""A verdict's course as points to draw: what was counted around each poll, and what it was worth by then."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from release.verdict.counts import Counts
from release.verdict.judge import Entry, course
from release.verdict.policy import Policy
from release.verdict.result import Kind, Verdict

AROUND = 10.0
# Of the time before the canary has users, so much is drawn.
BEFORE = 60.0
MOST = 400


@dataclass(frozen=True, slots=True)
class Point:
    """`at` in seconds since the first point. Rates (0 to 1) over the last 10 s, None without requests; evidence
    in ln."""

    at: float
    weight: int
    canary: float | None
    stable: float | None
    verdict: Verdict


class Series:
    """The points of a course that still goes on."""

    def __init__(self) -> None:
        self._recent: deque[Entry] = deque()
        self._found: list[Point] = []
        self._users = False

    def add(self, entry: Entry, verdict: Verdict) -> None:
        """The next poll, and what came of it."""
        recent = self._recent
        recent.append(entry)
        while recent[0].now <= entry.now - AROUND:
            recent.popleft()
        canary, stable = _rate([each.block.canary for each in recent]), _rate([each.block.stable for each in recent])
        self._users = self._users or entry.weight > 0
        while self._found and not self._users and self._found[0].at < entry.now - BEFORE:
            self._found.pop(0)
        self._found.append(Point(entry.now, entry.weight, canary, stable, verdict))

    def points(self) -> tuple[Point, ...]:
        """All so far. Long courses are thinned; changes of weight and of the verdict are kept."""
        began = self._found[0].at if self._found else 0.0
        return tuple(replace(point, at=point.at - began) for point in _thinned(self._found))


def points(policy: Policy, entries: Sequence[Entry]) -> tuple[Point, ...]:
    """The course, from what was stored."""
    series = Series()
    for entry, verdict in zip(entries, course(policy, entries), strict=True):
        series.add(entry, verdict)
    return series.points()


def changes(found: Sequence[Point]) -> list[Point]:
    """The points at which the canary's weight was another than before."""
    pairs = zip([None, *found], found, strict=False)
    return [late for early, late in pairs if early is None or early.weight != late.weight]


def _rate(counts: list[Counts]) -> float | None:
    requests = sum(each.requests for each in counts)
    return sum(each.errors for each in counts) / requests if requests else None


def _thinned(found: Sequence[Point]) -> tuple[Point, ...]:
    every = max(1, len(found) // MOST)
    kept = []
    for index, point in enumerate(found):
        before = found[index - 1] if index else point
        turned = (point.weight, point.verdict.kind) != (before.weight, before.verdict.kind)
        if index % every == 0 or turned or index == len(found) - 1 or point.verdict.kind is Kind.ROLLBACK:
            kept.append(point)
    return tuple(kept)
