"""Deliveries that GitHub could not make while the service was down, and which of them are asked for again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

# GitHub keeps deliveries, and makes them again, for three days.
KEPT_S = 3 * 86_400.0
# What the service itself said no to is not mended by saying it again.
_ANSWERED = frozenset({400, 401, 413})
_MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Try:
    """One try of GitHub's to make a delivery. `id` is the try's; `delivery` is the delivery's, which all its tries
    share; `at` is when (seconds since the epoch); `status` the answer's, 0 where there was none."""

    id: int
    delivery: str
    at: float
    status: int


@dataclass(frozen=True, slots=True)
class Missed:
    """A delivery that did not arrive: its last try, when it was tried first, and the line of the run that it asks for
    ("" where none takes its place)."""

    last: Try
    at: float
    line: str = ""


def unmade(tries: Sequence[Try], known: Collection[str], asked: Collection[int]) -> tuple[Missed, ...]:
    """What did not arrive, oldest first, its lines not known yet.

    Not those `known` to be kept, nor one whose last try was `asked` to be made again before, nor one that failed so
    often that it will fail again.
    """
    by: dict[str, list[Try]] = {}
    for one in sorted(tries, key=lambda one: (one.at, one.id)):
        by.setdefault(one.delivery, []).append(one)
    lost = [
        Missed(mine[-1], mine[0].at)
        for delivery, mine in by.items()
        if delivery not in known
        and mine[-1].id not in asked
        and len(mine) < _MOST_TRIES
        and not any(200 <= one.status < 300 or one.status in _ANSWERED for one in mine)
    ]
    return tuple(sorted(lost, key=lambda one: one.at))


def again(missed: Sequence[Missed], accepted: Mapping[str, float]) -> tuple[Missed, ...]:
    """Those that are asked for again, oldest first.

    A run takes the newest commit of its branch. So of each line the newest is enough, and none where one was
    `accepted` (line -> when, seconds since the epoch) after it.
    """
    newest = {one.line: one for one in sorted(missed, key=lambda one: one.at)}
    return tuple(
        one for one in missed if not one.line or (newest[one.line] is one and accepted.get(one.line, 0.0) < one.at)
    )
