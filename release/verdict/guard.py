"""Absolute limits: sequential evidence that a version's error rate is above a number, with no other beside it."""

from __future__ import annotations

from math import log

from release.verdict.counts import Counts


def upper(errors: int, requests: int, alpha: float) -> float:
    """The highest rate that `errors` of `requests` still allow, wrong with a probability of at most alpha."""
    if requests <= 0:
        return 1.0
    seen, needed = min(1.0, errors / requests), log(1 / alpha) / requests
    low, high = seen, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _divergence(seen, middle) < needed else (low, middle)
    return high


def limit_from(before: Counts, alpha: float, rho: float = 1.1, delta: float = 0.001) -> float:
    """The limit that says "not worse than in the time before": its rate, at the most, times rho, plus delta.

    Give half of the alpha here and half to the watch, and the risk of both together is at most alpha.
    """
    return min(0.99, rho * upper(before.errors, before.requests, alpha) + delta)


def _divergence(seen: float, other: float) -> float:
    if other >= 1:
        return float("inf")
    first = seen * log(seen / other) if seen else 0.0
    return first + ((1 - seen) * log((1 - seen) / (1 - other)) if seen < 1 else 0.0)
