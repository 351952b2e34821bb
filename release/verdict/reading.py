"""Two samples make a block. Pure: a sample that cannot be used gives a block with a gap, never a zero."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from release.verdict.counts import Block, Counts, Gap, Sample


def block(before: Sample | None, after: Sample | None) -> Block:
    """What was counted between two samples. `after` is None when the metrics did not answer.

    A sample that is not newer gives an empty block of 0 s: metrics that are scraped every 15 s stand still in
    between. For how long they may is the policy's business, and the state's to notice.
    """
    if after is None:
        return Block(0.0, gap=Gap.PROVIDER)
    if before is None:
        return Block(0.0, bounds=after.bounds, gap=Gap.FIRST)
    if after.at <= before.at:
        return Block(0.0, bounds=after.bounds)
    canary, stable = after.canary.since(before.canary), after.stable.since(before.stable)
    route, entry = _difference(before.route, after.route), _difference(before.entry, after.entry)
    counted = [each for each in (canary, stable, route, entry) if each is not None]
    if after.bounds != before.bounds or not all(each.possible() for each in counted):
        return Block(0.0, bounds=after.bounds, gap=Gap.RESET)
    entered = 0 if entry is None else entry.requests
    return Block(after.at - before.at, canary, stable, route, entered, after.bounds)


def newest(before: Sample | None, after: Sample | None) -> Sample | None:
    """The sample to compare the next one with: an older one, of a lagging replica, would count requests twice."""
    return before if after is None or (before is not None and after.at <= before.at) else after


def blocks(samples: Sequence[Sample]) -> tuple[tuple[float, Block], ...]:
    """What was counted between each two of them, and how many seconds before the last one it ended."""
    return tuple((samples[-1].at - after.at, block(before, after)) for before, after in pairwise(samples))


def _difference(before: Counts | None, after: Counts | None) -> Counts | None:
    # A route that was not counted yet has no past: its whole count may be older than the first sample.
    return None if before is None or after is None else after.since(before)
