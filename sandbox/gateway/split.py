"""Who is next: the split of requests over backends, over pods, and of errors over requests.

Each choice has a key and a state of its own, which starts afresh when what it chooses from has changed.
"""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

Kind = Literal["smooth", "random"]


class Split(Protocol):
    """Choices by key; a key is any string that names the place where the choice is made."""

    def pick(self, key: str, weights: tuple[int, ...]) -> int | None:
        """The index of the next one by weight; None when no weight is above zero."""

    def turn(self, key: str, count: int) -> int:
        """The index of the next one of `count` equals, `count` >= 1."""

    def fails(self, key: str, rate: float) -> bool:
        """Whether this one is among the share `rate` that fails."""


def smooth(weights: Sequence[int]) -> Iterator[int]:
    """Smooth weighted round robin: every stretch of the sequence has each weight's share, to within one."""
    total, current = sum(weights), [0] * len(weights)
    while True:
        best = 0
        for index, weight in enumerate(weights):
            current[index] += weight
            if current[index] > current[best]:
                best = index
        current[best] -= total
        yield best


def spread(rate: float) -> Iterator[bool]:
    """True for a share `rate` of the draws, evenly spread."""
    owed = 0.0
    while True:
        owed += rate
        # A hair below one: twenty times 0.05 is less than one in binary.
        failed = owed > 1 - 1e-9
        owed -= failed
        yield failed


class SmoothSplit:
    """Deterministic: exact shares, errors at even distances."""

    def __init__(self) -> None:
        self._picks: dict[str, tuple[tuple[int, ...], Iterator[int]]] = {}
        self._turns: dict[str, tuple[int, Iterator[int]]] = {}
        self._fails: dict[str, tuple[float, Iterator[bool]]] = {}

    def pick(self, key: str, weights: tuple[int, ...]) -> int | None:
        known = self._picks.get(key)
        if known is None or known[0] != weights:
            if not any(weights):
                return None
            known = self._picks[key] = (weights, smooth(weights))
        return next(known[1])

    def turn(self, key: str, count: int) -> int:
        known = self._turns.get(key)
        if known is None or known[0] != count:
            known = self._turns[key] = (count, itertools.cycle(range(count)))
        return next(known[1])

    def fails(self, key: str, rate: float) -> bool:
        if rate <= 0:
            return False
        known = self._fails.get(key)
        if known is None or known[0] != rate:
            known = self._fails[key] = (rate, spread(rate))
        return next(known[1])


class RandomSplit:
    """Independent draws from one seeded source: shares and errors scatter as real ones do."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 (a simulation, no secret)

    def pick(self, key: str, weights: tuple[int, ...]) -> int | None:  # noqa: ARG002
        bounds = list(itertools.accumulate(weights))
        if not bounds or not bounds[-1]:
            return None
        return bisect.bisect_right(bounds, self._random.random() * bounds[-1])

    def turn(self, key: str, count: int) -> int:  # noqa: ARG002
        return int(self._random.random() * count)

    def fails(self, key: str, rate: float) -> bool:  # noqa: ARG002
        return self._random.random() < rate


def of(kind: Kind, seed: int | None = None) -> Split:
    return SmoothSplit() if kind == "smooth" else RandomSplit(seed)
