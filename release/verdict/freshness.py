"""Is there anything to judge? No data is a verdict of its own, with a cause."""

from __future__ import annotations

from dataclasses import replace

from release.verdict.counts import Block, Gap
from release.verdict.result import Cause
from release.verdict.state import Quiet, State

# Without any request for so long, the absence of errors means nothing.
QUIET_SECONDS = 5.0
# A version that should have had so many requests since its last one gets none (by chance: 0.7 %).
AWAITED = 5.0
CAUSES = {
    Gap.FIRST: Cause.TOO_LITTLE_DATA,
    Gap.PROVIDER: Cause.PROVIDER_DOWN,
    Gap.STALE: Cause.PROVIDER_DOWN,
    Gap.RESET: Cause.PROVIDER_DOWN,
    Gap.NO_TRAFFIC: Cause.NO_TRAFFIC,
    Gap.NO_CANARY: Cause.NO_TRAFFIC,
    Gap.NO_STABLE: Cause.NO_TRAFFIC,
}


def look(state: State, block: Block, now: float) -> State:
    """The state with the gap that this block shows, if any."""
    if block.gap is None and block.seconds > 0:
        state = replace(state, moved=now, quiet=_quiet(state.quiet, block, state.weight))
    gap = _gap(state, block, now)
    # A first reading after an outage is no lapse of the canary's: what follows it is waited for anew.
    return replace(state, gap=gap, good=now if gap in (None, Gap.FIRST) else state.good)


def _gap(state: State, block: Block, now: float) -> Gap | None:
    if block.gap is not None:
        return block.gap
    if block.seconds <= 0:
        # What was missing stays missing until a newer sample says otherwise.
        return Gap.STALE if now - state.moved > state.policy.stale_after else state.gap
    if state.quiet.seconds >= QUIET_SECONDS:
        return Gap.NO_TRAFFIC
    if state.weight and state.quiet.canary >= AWAITED:
        return Gap.NO_CANARY
    return Gap.NO_STABLE if state.quiet.stable >= AWAITED else None


def _quiet(quiet: Quiet, block: Block, weight: int) -> Quiet:
    canary, stable = block.canary.requests, block.stable.requests
    requests = whole(block)
    return Quiet(
        seconds=0.0 if requests else quiet.seconds + block.seconds,
        canary=0.0 if canary else quiet.canary + requests * weight / 100,
        stable=0.0 if stable else quiet.stable + requests * (100 - weight) / 100,
    )


def whole(block: Block) -> int:
    """All requests of the block, also those that no Service counted."""
    served = block.canary.requests + block.stable.requests
    return served if block.route is None else max(served, block.route.requests)
