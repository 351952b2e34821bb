"""What a verdict remembers between polls: a frozen value, as small after an hour as after a minute."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log

from release.verdict import evidence
from release.verdict.counts import Counts, Gap, Sample
from release.verdict.dispersion import Windows
from release.verdict.evidence import Evidence
from release.verdict.policy import Mixture, Policy
from release.verdict.track import Track, open_track

SHARE = Mixture(rates=(0.3, 0.6, 0.9, 0.99), shares=(0.25,) * 4)
ERRORS = "errors"


@dataclass(frozen=True, slots=True)
class Quiet:
    """How long there was nothing: seconds without any request, and requests that a version should have had since
    its last one."""

    seconds: float = 0.0
    canary: float = 0.0
    stable: float = 0.0


@dataclass(frozen=True, slots=True)
class State:
    """Begin with `start(policy)`. Times are `now` as given by the caller, in seconds of any one clock.

    `weight` has been set since `since`; `highest` is the highest so far, and its step began at `began`: `canary` and
    `stable` are counted since then, and `clock` is how long it has been judged, for its deadline. `ratio` is canary
    and stable requests at this weight. `moved` is when the sample was last newer, `good` when there were last data,
    `gap` why there are none now. `before` and `running` are the stable version's windows before and with the release.
    `shared` is evidence that the stable version itself is above `limit`, found last at `alarm`.
    """

    policy: Policy
    share: Evidence
    shared: Evidence
    tracks: tuple[Track, ...]
    last: Sample | None = None
    at: float | None = None
    weight: int = 0
    highest: int = 0
    since: float = 0.0
    began: float = 0.0
    clock: float = 0.0
    moved: float = 0.0
    good: float = 0.0
    gap: Gap | None = None
    quiet: Quiet = Quiet()
    # Errors at the route that no Service counted: the difference so far, and what of it was given out.
    lost: tuple[int, int] = (0, 0)
    # Requests that the canary and the stable version should have had at a weight, and that no Service counted.
    missed: tuple[float, float] = (0.0, 0.0)
    missed_at: int = 0
    # Requests of the canary and of all, as far as they count for the share.
    arrived: tuple[int, int] = (0, 0)
    before: Windows = Windows()
    running: Windows = Windows()
    bounds: tuple[float, ...] = ()
    canary: Counts = Counts()
    stable: Counts = Counts()
    ratio: tuple[int, int] = (0, 0)
    limit: float = 1.0
    alarm: float | None = None


def share_needed(policy: Policy) -> float:
    """ln of the evidence that the canary gets less than its share."""
    return log(policy.regions / policy.share_alpha)


def begin_share(policy: Policy) -> Evidence:
    """Nothing known of the share. Users are served well meanwhile, so no 15 s of it decide alone."""
    return evidence.begin(SHARE, share_needed(policy) / 4)


def shared_needed(policy: Policy) -> float:
    """ln of the evidence that the stable version is worse than before the release."""
    return log(policy.regions / policy.stable_alpha)


def start(policy: Policy) -> State:
    """Nothing is known yet. Samples judged at weight 0 tell how the stable version was before the release."""
    return State(
        policy=policy,
        share=begin_share(policy),
        shared=evidence.begin(policy.against, shared_needed(policy) / 2),
        tracks=(open_track(ERRORS, None, policy.errors, policy.needed, policy),),
    )


def add_counts(state: State, canary: Counts, stable: Counts) -> State:
    """The state with a block's requests in its sums."""
    at_canary, at_stable = state.ratio
    return replace(
        state,
        canary=state.canary.plus(canary),
        stable=state.stable.plus(stable),
        ratio=(at_canary + canary.requests, at_stable + stable.requests),
    )
