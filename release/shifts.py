"""When a canary's slot got each of its weights, from the steps that gave it to the users, as Prefect records them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

# What the names of those steps have in common: `us-east-1: weight of green 25`.
NAMED = ": weight of "
_NAME = re.compile(rf"(?P<region>.+){NAMED}(?P<slot>blue|green) (?P<weight>\d+)")


@dataclass(frozen=True, slots=True)
class Shift:
    """A slot got `weight` percent of a region's users; `at` is in seconds since the epoch."""

    region: str
    slot: str
    weight: int
    at: float


def of_step(name: str, at: float) -> Shift | None:
    """The shift that a step of that name is; None for another step."""
    found = _NAME.fullmatch(name)
    return None if found is None else Shift(found["region"], found["slot"], int(found["weight"]), at)


def reached(shifts: Sequence[Shift], weights: Sequence[int]) -> dict[int, float]:
    """Weight -> when one region's canary first had it, of `weights` in rising order. What came before users left a slot
    altogether is forgotten, and a drop to a trickle is none of the steps."""
    slot, found = "", dict[int, float]()
    for one in sorted(shifts, key=lambda one: one.at):
        # All users at once, on a slot that had none of them: they were taken off the other one.
        if one.weight == 0 or (one.weight == 100 and one.slot != slot):
            slot, found = "", {}
            continue
        if one.slot != slot:
            slot, found = one.slot, {}
        if one.weight in weights and one.weight > max(found, default=0):
            found[one.weight] = one.at
    return found


def took(began: Mapping[int, float], ended: float) -> Mapping[int, float]:
    """Weight -> seconds that one region's canary was at it, of what it `reached`, up to the end of the region's run."""
    times = [*began.values(), ended]
    return {weight: max(0.0, after - at) for weight, (at, after) in zip(began, pairwise(times), strict=True)}
