"""Counts over a stretch of time, from a meter's ring. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

from sandbox.gateway.counters import Meter, Slice

Wanted = Callable[[Slice], bool]


def of_application(name: str) -> Wanted:
    """What users ask of the application (its route), or of one slot (its Service); never the previews."""
    return lambda each: each.entry == "web" and name in (each.route, each.service)


def recent(meter: Meter, wanted: Wanted, seconds: float, now: float) -> tuple[int, int]:
    """(requests, errors) of the last `seconds` before `now`; errors are answers with a code of 500 or more."""
    before: tuple[int, ...] = ()
    for at, numbers in reversed(meter.ring):
        if at <= now - seconds:
            before = numbers
            break
    current = tuple(number for pair in meter.tally.values() for number in pair)
    requests = errors = 0
    for slice_, (more, failed) in difference(meter, before, current).items():
        if wanted(slice_):
            requests, errors = requests + more, errors + failed
    return requests, errors


def difference(meter: Meter, before: tuple[int, ...], after: tuple[int, ...]) -> Mapping[Slice, tuple[int, int]]:
    """What was counted between two samples, by slice."""
    padded = before + (0,) * (len(after) - len(before))
    grown = [late - early for early, late in zip(padded, after, strict=True)]
    return {key: (grown[2 * i], grown[2 * i + 1]) for i, key in enumerate(meter.tally) if 2 * i + 1 < len(grown)}


def series(meter: Meter, seconds: int, now: float) -> list[tuple[int, Mapping[Slice, tuple[int, int]]]]:
    """Per second of the last `seconds`: (epoch second, counts by slice), oldest first."""
    last_of: dict[int, tuple[int, ...]] = {}
    for at, numbers in reversed(meter.ring):
        if at < now - seconds - 1:
            break
        last_of.setdefault(int(at), numbers)
    ordered = sorted(last_of.items())
    return [(second, difference(meter, before, after)) for (_, before), (second, after) in itertools.pairwise(ordered)]
