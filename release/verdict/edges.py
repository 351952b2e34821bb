"""Which edges of the latency histogram are judged: chosen once, from the stable version, before they are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from release.verdict.state import State
from release.verdict.track import open_track, step

ENOUGH = 200
RAREST, COMMONEST = 0.002, 0.2


def open_latency(state: State) -> State:
    """The state with its latency metrics, as soon as the stable version has answered often enough."""
    policy, windows = state.policy, state.running
    if policy.latency is None or not state.bounds or len(state.tracks) > 1 or windows.requests < ENOUGH:
        return state
    chosen = choose([windows.rate(1 + edge) or 0.0 for edge in range(len(state.bounds))])
    fresh = [
        open_track(name(state.bounds[edge]), edge, policy.latency, policy.needed_of(len(chosen)), policy)
        for edge in chosen
    ]
    return replace(state, tracks=state.tracks + tuple(step(track, policy, state.weight, windows) for track in fresh))


def choose(slower: Sequence[float]) -> tuple[int, ...]:
    """At most two edges, by the stable version's part of requests slower than each: one common, one rare.

    Where none has 0.2 to 20 % slower, the first that hardly any request exceeds, else the last.
    """
    fit = [edge for edge, part in enumerate(slower) if RAREST <= part <= COMMONEST]
    if fit:
        return tuple(sorted({fit[0], fit[-1]}))
    rare = [edge for edge, part in enumerate(slower) if part < RAREST]
    return (rare[0],) if rare else (len(slower) - 1,)


def waits(state: State) -> bool:
    """Whether latency is to be judged, and cannot be yet."""
    return state.policy.latency is not None and bool(state.bounds) and len(state.tracks) == 1


def name(bound: float) -> str:
    return f"latency > {bound:g} s"


def events(requests: int, errors: int, within: Sequence[int]) -> tuple[int, ...]:
    """The numbers that `dispersion.Windows` sums up: errors, then requests slower than each bound."""
    return (errors, *[max(0, requests - count) for count in within])
