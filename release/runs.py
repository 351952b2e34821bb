"""Runs as people name them, by the beginning of their id; and what their states are called while they wait."""

from __future__ import annotations

from collections.abc import Mapping

from release.errors import Refused

# Prefect's names of a run's state at its gates: for people, and for the timer.
AWAITING = "AwaitingApproval"
TIMER = "AwaitingTimer"
# Fewer characters name whatever happens to run.
LEAST = 4
_SHOWN = 5


def require(beginning: str) -> None:
    """Raises Refused where it is too short to name one run."""
    if len(beginning.strip()) < LEAST:
        raise Refused(
            f"{beginning!r} names no run: it takes at least the first {LEAST} characters of its id.",
            field="run",
            next_step="See `tidegate status` for what is under way.",
        )


def only(beginning: str, known: Mapping[str, str]) -> str | None:
    """The id that begins so, None without one; `known` is id -> what it is, in words.

    Raises Refused where it is too short, and where several begin so, by naming them.
    """
    require(beginning)
    found = [run for run in known if run.startswith(beginning)]
    if len(found) > 1:
        named = ", ".join(f"{run} ({known[run]})" for run in found[:_SHOWN])
        raise Refused(
            f"{len(found)} runs begin with {beginning}: {named}{', ...' if len(found) > _SHOWN else ''}.",
            field="run",
            next_step="Give more of the run's id.",
        )
    return found[0] if found else None
