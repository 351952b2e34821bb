"""What people are told of a rollback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from release.messages import duration
from release.model import RegionState
from release.outcome import Outcome
from release.rollback import Move


def known(moves: Sequence[Move], reason: str) -> dict[str, Any]:
    """Fields of Outcome: where it goes, and why."""
    good = {move.good.version: move.good for move in moves}
    left = ", ".join(sorted({f"v{move.bad.version}" for move in moves if move.bad != move.good}))
    one = next(iter(good.values())) if len(good) == 1 else None
    return {
        "version": ", ".join(good),
        "digest": one.digest if one else "",
        "commit": one.commit if one else "",
        "reason": f"{left} was taken back: {reason}",
    }


def done(states: Sequence[RegionState], reason: str) -> dict[str, Any]:
    """As `known`, of a rollback that a dead run had done."""
    live = {state.route.live.artifact for state in states if state.route and state.route.live}
    one = next(iter(live)) if len(live) == 1 else None
    return {
        "version": ", ".join(sorted(artifact.version for artifact in live)),
        "digest": one.digest if one else "",
        "commit": one.commit if one else "",
        "reason": f"taken back: {reason}",
    }


def taken_back(outcome: Outcome, reason: str, actor: str) -> str:
    """For #incidents, when it is done."""
    return "\n".join(
        (
            f":leftwards_arrow_with_hook: Production is back on v{outcome.version}, started by {actor}.",
            f"Reason: {reason}",
            f"What: {outcome.reason}",
            f"Regions: {_regions(outcome)}",
            f"Took: {duration(outcome.seconds)}",
        )
    )


def live_again(outcome: Outcome) -> str:
    """For #releases: another version is live now."""
    return f":leftwards_arrow_with_hook: v{outcome.version} is live again in production ({_regions(outcome)})."


def stuck(outcome: Outcome, reason: str, actor: str, on_call: str) -> str:
    """For #incidents, when it is not done: the page."""
    word = {"halted": "is HALTED: a person must decide"}.get(outcome.word, f"did not work ({outcome.word})")
    live = ", ".join(f"{one.region} is on v{one.version}" for one in outcome.regions if one.version)
    return "\n".join(
        (
            f":rotating_light: The rollback of production {word}. <!here> {on_call}".rstrip(),
            f"To: {f'v{outcome.version}' if outcome.version else 'the last good version'}",
            f"Reason for it: {reason}",
            f"Why it stopped: {outcome.reason}",
            f"Live now: {live or 'unchanged'}",
            f"Next: {outcome.next_step or 'Read why it stopped before going on.'}",
            f"Started by: {actor}",
        )
    )


def _regions(outcome: Outcome) -> str:
    return ", ".join(f"{one.region} ({duration(one.seconds)})" for one in outcome.regions if one.outcome == "released")
