"""A verdict in one line, for an operator."""

from __future__ import annotations

from release.verdict.counts import Counts
from release.verdict.result import Cause, Finding, Kind, odds
from release.verdict.state import State, share_needed
from release.verdict.track import Track


def of(state: State, finding: Finding, worst: Track, weakest: Track, seconds: float) -> str:
    """`KIND after N s: what was counted; what it is worth`."""
    head = f"{finding.kind} after {seconds:.0f} s: "
    if finding.kind is Kind.NO_DATA:
        return head + f"{finding.reason} ({finding.cause}); {_then(finding)}"
    if not state.weight:
        return head + finding.reason
    if finding.metric == "share":
        return head + _share(state)
    track = next((each for each in state.tracks if each.name == finding.metric), worst)
    counted = f"canary {_rate(track, state.canary)} vs stable {_rate(track, state.stable, short=True)}"
    return head + f"{counted}; {_worth(state, finding, track, weakest)}"


def percent(share: float) -> str:
    """`0.1%`, of a share of 1, with two digits."""
    return f"{share * 100:.2g}%"


def _worth(state: State, finding: Finding, track: Track, weakest: Track) -> str:
    policy = state.policy
    if finding.kind is Kind.ROLLBACK:
        needed = odds(track.needed)
        found = track.against.ln if track.against.ln >= track.needed else track.against.ln_raw
        return f"evidence {odds(found)}, needed {needed} (false-alarm risk <={percent(policy.alpha)})"
    favour = f"evidence in favour {odds(weakest.ln_favour())}, needed {odds(policy.wanted(state.weight))}"
    if finding.kind is Kind.ADVANCE:
        return favour
    against = f"evidence against {odds(track.against.ln)}, needed {odds(track.needed)}"
    if finding.kind is Kind.CONTINUE:
        why = f"{finding.reason}; " if finding.reason else ""
        return f"{why}{favour}; {against}"
    if finding.cause is Cause.BAD:
        against = f"{finding.reason}: evidence {odds(track.against.ln_raw)} without its cap, {against}"
        return f"{against}; {_then(finding)}"
    return f"{finding.reason}; {favour}; {_then(finding)}"


def _share(state: State) -> str:
    canary, every = state.arrived
    return (
        f"canary got {canary / every if every else 0:.1%} of the traffic ({canary}/{every}), "
        f"its weight is {state.weight}%; "
        f"evidence {odds(state.share.ln)}, needed {odds(share_needed(state.policy))}"
    )


def _rate(track: Track, counts: Counts, *, short: bool = False) -> str:
    bad, requests = track.events(counts), counts.requests
    share = bad / requests if requests else 0.0
    what = "" if short else (" errors" if track.edge is None else f" with {track.name}")
    return f"{share:.1%}{what} ({bad}/{requests})"


def _then(finding: Finding) -> str:
    texts = {
        Kind.ROLLBACK: "rolling back as unverified",
        Kind.HOLD: f"holding at {finding.weight}%",
        Kind.DROP: f"down to {finding.weight}%",
        Kind.CONTINUE: "waiting",
    }
    return texts.get(finding.action, "")
