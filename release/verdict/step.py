"""One poll's block of counts into the state. Pure, and cheap enough for every second."""

from __future__ import annotations

from dataclasses import replace

from release.verdict import bets, dispersion, edges, evidence, track
from release.verdict.counts import Block, Counts
from release.verdict.freshness import CAUSES, look, whole
from release.verdict.guard import limit_from
from release.verdict.lost import attribute
from release.verdict.result import Cause
from release.verdict.state import SHARE, State, add_counts, begin_share, share_needed, shared_needed

ENOUGH_BEFORE = 500


def step(state: State, block: Block, weight: int, now: float) -> State:
    """The state after `block`, counted while the canary had `weight` percent (0 to 99) of the traffic.

    Blocks at weight 0 before the release tell what the stable version was like.
    """
    state = _at_weight(state, block, weight, now)
    usable = block.gap is None and block.seconds > 0
    canary, stable = Counts(), Counts()
    if usable:
        state, canary, stable = attribute(state, block, settled=_settled(state, block, now))
    state = look(state, replace(block, canary=canary, stable=stable), now)
    state = replace(state, at=now, clock=state.clock + _judged(state, now), bounds=block.bounds or state.bounds)
    if not usable or not weight:
        return _before(state, block) if usable else state
    state = _share(state, block, now)
    return state if state.gap is not None and not canary.requests else _compare(state, block, canary, stable, now)


def _at_weight(state: State, block: Block, weight: int, now: float) -> State:
    if state.at is None:
        state = replace(state, good=now - block.seconds, moved=now)
    if weight == state.weight:
        return state
    since = now - block.seconds if state.at is None else state.at
    share = begin_share(state.policy)
    new = replace(state, weight=weight, since=since, ratio=(0, 0), arrived=(0, 0), share=share)
    if weight > state.highest:
        # One that a run before has left below its first step was dropped there.
        highest = max(weight, state.policy.weights[0])
        new = replace(new, highest=highest, began=since, clock=0.0, canary=Counts(), stable=Counts())
        if not state.highest:
            new = replace(new, limit=_limit(state))
    if not weight:
        return new
    tracks = [track.step(each, state.policy, weight, state.running) for each in state.tracks]
    if state.weight < weight <= state.highest:
        tracks = [track.forgive(each) for each in tracks]
    return replace(new, tracks=tuple(tracks))


def _limit(state: State) -> float:
    before, policy = state.before, state.policy
    if before.requests < ENOUGH_BEFORE:
        return policy.stable_most
    counts = Counts(before.requests, before.events[0])
    return limit_from(counts, policy.stable_alpha, policy.errors.rho0, policy.stable_margin)


def _judged(state: State, now: float) -> float:
    # Metrics that are down are not the release's fault, so its deadline waits for them.
    down = state.gap is not None and CAUSES[state.gap] is Cause.PROVIDER_DOWN
    return 0.0 if state.at is None or down or not state.weight else max(0.0, now - state.at)


def _before(state: State, block: Block) -> State:
    before = _windows(state.before, block)
    if before.closed * dispersion.WINDOW > state.policy.history:
        before = dispersion.halve(before)
    return replace(state, before=before, running=before)


def _windows(windows: dispersion.Windows, block: Block) -> dispersion.Windows:
    stable = block.stable
    events = edges.events(stable.requests, stable.errors, stable.within)
    return dispersion.add(windows, block.seconds, stable.requests, events)


def _compare(state: State, block: Block, canary: Counts, stable: Counts, now: float) -> State:
    policy = state.policy
    state = edges.open_latency(add_counts(state, canary, stable))
    settled = _settled(state, block, now)
    ratio = bets.ratio(state.weight, *state.ratio, canary.requests, stable.requests)
    running = _windows(state.running, block)
    # The rest of the burst that a canary was dropped for is no news of it.
    burst = state.weight < state.highest and now - state.since <= dispersion.WINDOW
    if ratio is not None:
        grown = []
        for each in state.tracks:
            ours = (canary, stable) if each.edge is None else (block.canary, block.stable)
            phi = track.dispersion(each.position, state.before, state.running)
            wanted = policy.wanted(state.weight) if settled and state.gap is None else None
            after = track.grow(each, policy, *ours, ratio=ratio, seconds=block.seconds, phi=phi, wanted=wanted)
            mark = after.against.ln_raw if burst else each.mark
            grown.append(replace(after, phi=running.phi(each.position), mark=mark))
        state = replace(state, tracks=tuple(grown))
    return _stable(replace(state, running=running), stable, block.seconds, now)


def _settled(state: State, block: Block, now: float) -> bool:
    return now - block.seconds - state.since >= state.policy.settle - 1e-6


def _share(state: State, block: Block, now: float) -> State:
    if not _settled(state, block, now):
        return state
    least = state.policy.least_share * state.weight / 100
    got, every = block.canary.requests, whole(block)
    gains = bets.short_share(SHARE.rates, least, got, max(0, every - got))
    share = evidence.grow(state.share, SHARE, gains, block.seconds, share_needed(state.policy) / 4)
    return replace(state, share=share, arrived=(state.arrived[0] + got, state.arrived[1] + every))


def _stable(state: State, stable: Counts, seconds: float, now: float) -> State:
    policy, needed = state.policy, shared_needed(state.policy)
    phi = track.dispersion(0, state.before, state.running)
    gains = bets.over_limit(policy.against.rates, state.limit, stable.requests, stable.errors, phi)
    shared = evidence.grow(state.shared, policy.against, gains, seconds, needed / 2)
    found = shared.ln >= needed
    if found or shared.ln < 0:
        # Begin again: a good past must not delay the alarm, and an alarm must not outlast its reason.
        shared = evidence.begin(policy.against, needed / 2)
    return replace(state, shared=shared, alarm=now if found else state.alarm)
