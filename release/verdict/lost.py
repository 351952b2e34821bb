"""Errors that no Service counted: a slot without ready pods answers 503 at the route, and only there."""

from __future__ import annotations

from dataclasses import replace

from release.verdict.counts import Block, Counts
from release.verdict.freshness import whole
from release.verdict.state import State

# Errors that a Service has counted and the route not yet.
SKEW = 3


def attribute(state: State, block: Block, *, settled: bool) -> tuple[State, Counts, Counts]:
    """The block's canary and stable counts with such errors, given to the version that misses requests.

    A canary that was dropped still gets its old share until the gateway has `settled`: till then who missed requests
    before tells.

    The route is counted a moment after the Service, so only the difference's new maximum is given out. It does not
    sink far below the last one, because a Service also counts what came by other routes, as testers' requests do.
    """
    canary, stable = block.canary, block.stable
    if block.route is None:
        return state, canary, stable
    difference, given = state.lost
    difference = max(difference + block.route.errors - canary.errors - stable.errors, given - SKEW)
    new = max(0, difference - given)
    state = replace(state, lost=(difference, given + new))
    requests, share = whole(block), state.weight / 100
    if settled or state.weight >= state.missed_at:
        before = state.missed if state.missed_at == state.weight else (0.0, 0.0)
        canary_missed = before[0] + requests * share - canary.requests
        stable_missed = before[1] + requests * (1 - share) - stable.requests
        state = replace(state, missed=(canary_missed, stable_missed), missed_at=state.weight)
    canary_missed, stable_missed = state.missed
    missing = max(0.0, canary_missed) + max(0.0, stable_missed)
    to_canary = round(new * (max(0.0, canary_missed) / missing if missing else share))
    return state, _with(canary, to_canary), _with(stable, new - to_canary)


def _with(counts: Counts, errors: int) -> Counts:
    return replace(counts, requests=counts.requests + errors, errors=counts.errors + errors) if errors else counts
