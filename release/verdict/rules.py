"""What follows from the evidence. Rollback wins ties; without data nothing is promoted."""

from __future__ import annotations

from math import log

from release.verdict.bets import ENOUGH
from release.verdict.dispersion import WINDOW
from release.verdict.edges import waits
from release.verdict.freshness import CAUSES
from release.verdict.result import Cause, Finding, Kind
from release.verdict.state import State, share_needed
from release.verdict.track import Track

# So many requests show a cluster of errors, where there are any.
MANY = 8000


def decide(state: State, now: float) -> Finding:
    """The finding of this moment."""
    if not state.weight:
        return Finding(Kind.CONTINUE, Kind.CONTINUE, 0, reason="the canary has no users yet")
    found = (
        _bad(state, now)
        or _no_data(state, now)
        or _late(state)
        or _calm(state, now)
        or _suspect(state)
        or _shared(state, now)
    )
    return found or _good(state, now)


def worst(state: State) -> Track:
    """The metric that is nearest to a rollback."""
    return max(state.tracks, key=lambda each: each.against.ln - each.needed)


def weakest(state: State) -> Track:
    """The metric with the least evidence in favour."""
    return min(state.tracks, key=lambda each: each.ln_favour())


def _bad(state: State, now: float) -> Finding | None:
    for track in (worst(state), *state.tracks):
        if track.against.ln >= track.needed or _confirmed(state, track, now):
            return Finding(Kind.ROLLBACK, Kind.ROLLBACK, 0, Cause.BAD, track.name)
    if state.share.ln >= share_needed(state.policy):
        reason = "the canary does not get its share of the traffic"
        return Finding(Kind.ROLLBACK, Kind.ROLLBACK, 0, Cause.NO_TRAFFIC, "share", reason)
    return None


def _confirmed(state: State, track: Track, now: float) -> bool:
    """Whether a dropped canary stays bad: it is not the burst alone, so what went beyond the cap counts too."""
    since_drop = track.against.ln_raw - track.mark
    dropped = state.weight < state.highest and now - state.since > WINDOW
    return dropped and track.against.ln_raw >= track.needed and since_drop >= log(state.policy.suspect_odds)


def _no_data(state: State, now: float) -> Finding | None:
    if state.gap is None:
        return None
    cause, lapse, policy = CAUSES[state.gap], now - state.good, state.policy
    fallback = policy.on_provider_down if cause is Cause.PROVIDER_DOWN else policy.on_no_traffic
    action = Kind.CONTINUE
    if lapse >= policy.give_up_after:
        action = Kind.ROLLBACK if fallback == "rollback" else Kind.HOLD
    elif lapse >= policy.hold_after:
        action = Kind.HOLD
    weight = 0 if action is Kind.ROLLBACK else state.weight
    return Finding(Kind.NO_DATA, action, weight, cause, "", str(state.gap), page=lapse >= policy.give_up_after)


def _late(state: State) -> Finding | None:
    policy = state.policy
    if state.clock < policy.step_deadline:
        return None
    back = policy.on_deadline == "rollback"
    action, weight = (Kind.ROLLBACK, 0) if back else (Kind.HOLD, state.weight)
    return Finding(Kind.INCONCLUSIVE, action, weight, Cause.TOO_LITTLE_DATA, "", "the step's time is over", not back)


def _calm(state: State, now: float) -> Finding | None:
    if state.weight >= state.highest or now - state.since < state.policy.calm or state.ratio[0] < ENOUGH:
        return None
    if any(track.against.ln_raw > track.mark for track in state.tracks):
        return None
    return Finding(Kind.CONTINUE, Kind.CONTINUE, state.highest, reason=f"calm at {state.weight}%")


def _suspect(state: State) -> Finding | None:
    policy = state.policy
    for track in state.tracks:
        # Where the cap cuts off little, it decides within seconds, and the higher weight decides it faster.
        burst = track.against.ln_raw - track.against.ln >= track.needed / 2
        if track.against.ln_raw >= track.needed and burst and state.weight > policy.drop_to:
            reason = "too many errors at once to wait at this weight"
            return Finding(Kind.DROP, Kind.DROP, policy.drop_to, Cause.BAD, track.name, reason)
    for track in state.tracks:
        if track.against.ln_raw >= log(policy.suspect_raw_odds) or track.against.ln >= log(policy.suspect_odds):
            return Finding(Kind.HOLD, Kind.HOLD, state.weight, Cause.BAD, track.name, "suspect")
    return None


def _shared(state: State, now: float) -> Finding | None:
    if state.alarm is None or now - state.alarm > state.policy.calm:
        return None
    reason = "the stable version is worse than before the release too"
    return Finding(Kind.HOLD, Kind.HOLD, state.weight, Cause.SHARED, reason=reason, page=True)


def _good(state: State, now: float) -> Finding:
    policy, track = state.policy, weakest(state)
    enough = state.weight == state.highest and track.ln_favour() >= policy.wanted(state.weight) and not waits(state)
    waiting = _waiting(state, now) if enough else ""
    # The sample that the evidence ends with must be one of now, not the last before the metrics stood still.
    if enough and not waiting and state.moved == now:
        return Finding(Kind.ADVANCE, Kind.ADVANCE, state.weight, metric=track.name)
    return Finding(Kind.CONTINUE, Kind.CONTINUE, state.weight, metric=track.name, reason=waiting)


def _waiting(state: State, now: float) -> str:
    """What a step that has its evidence still waits for, or nothing."""
    policy, windows = state.policy, state.running
    if now - state.since < policy.min_step - 1e-6:
        return f"this step lasts {policy.min_step:.0f} s at least"
    if state.shared.ln >= log(policy.suspect_odds):
        return "the stable version may be worse than before the release"
    # The last step must know enough of the stable version to tell clustered errors from single ones.
    seen = windows.closed * WINDOW
    if state.weight < policy.weights[-1] or windows.requests >= MANY or seen >= policy.known:
        return ""
    needed = f"{policy.known:.0f} s or {MANY} requests"
    return f"the last step needs {needed} of the stable version, and has seen {seen:.0f} s"
