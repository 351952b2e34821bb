"""A verdict's course in few numbers: enough to draw it where what was counted is not at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from release.verdict.counts import Counts
from release.verdict.result import Finding, Kind, Verdict
from release.verdict.series import Point

# So many points a region, beside those at which the weight changed.
MOST = 120
_FAR = 1000.0


def sketch(found: Sequence[Point]) -> list[list[float | None]]:
    """Rows of (seconds, weight, canary's and stable's error rate, evidence against, the same without its cap, evidence
    in favour), rounded."""
    every = len(found) // MOST + 1
    last = len(found) - 1
    kept = [
        point
        for index, point in enumerate(found)
        if index % every == 0 or index == last or point.weight != found[index - 1].weight
    ]
    return [_row(point) for point in kept]


def points(told: Mapping[str, Any]) -> tuple[Point, ...]:
    """The points of what a release told of its verdict: `points` as `sketch` made them, its newest sentence, kind and
    bounds. Raises ValueError for anything else."""
    try:
        needed, wanted, kind = float(told["needed"]), float(told["wanted"]), Kind(told["kind"])
        return tuple(_point(row, kind, str(told["sentence"]), needed, wanted) for row in told["points"])
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(f"this is no told verdict: {error}") from error


def _row(point: Point) -> list[float | None]:
    rates = (point.canary, point.stable)
    found = point.verdict
    evidence = (found.against, found.suspicion, found.favour)
    return [
        round(point.at, 1),
        point.weight,
        *(None if rate is None else round(rate, 5) for rate in rates),
        # JSON has no infinity, and no picture goes that far.
        *(round(min(max(one, -_FAR), _FAR), 2) for one in evidence),
    ]


def _point(row: Sequence[Any], kind: Kind, sentence: str, needed: float, wanted: float) -> Point:
    at, weight, canary, stable, against, suspicion, favour = row
    found = Finding(kind, kind, int(weight))
    none = Counts(0, 0)
    verdict = Verdict(found, sentence, 0.0, none, none, against, suspicion, needed, favour, wanted)
    return Point(float(at), int(weight), canary, stable, verdict)
