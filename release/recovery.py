"""The way back from a bad release, decided from what is observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from release import health
from release.labels import short_digest
from release.model import Record, RegionState, Slot
from release.strategy import Want, is_live


@dataclass(frozen=True, slots=True)
class Back:
    """Bring a region back to a recorded version."""

    region: str
    to: Record


@dataclass(frozen=True, slots=True)
class Stuck:
    """A changed region without a known good version before it: a person must decide.

    `removable` where nothing else serves in the slot, as after a first release ever.
    """

    region: str
    slot: Slot
    removable: bool


Way = Back | Stuck


def last_good(state: RegionState, bad: Want) -> Record | None:
    """The newest recorded version of a region that is not the bad one; None where none is recorded."""
    route = state.route
    if route is None:
        return None
    return next((record for record in (route.live, route.previous) if record and not is_live(record, bad)), None)


def changed(state: RegionState, bad: Want) -> bool:
    """Whether a region is not wholly on its last good version: the bad one is recorded live, was the last asked of
    Helm, or the good one's pods are not all up (as when a recovery was itself cut short)."""
    if state.route is not None and is_live(state.route.live, bad):
        return True
    here = state.slot(state.live_slot)
    if here.release is None:
        return False
    if (here.release.digest, here.release.config) == (short_digest(bad.artifact.digest), bad.config):
        return True
    good = last_good(state, bad)
    return good is not None and not isinstance(health.of_slot(here, good.artifact.digest, bad.limits), health.Up)


def ways(states: Sequence[RegionState], bad: Want) -> tuple[Way, ...]:
    """What to do, in order: `states` come in the release's order, and regions go back in reverse."""
    return tuple(_way(state, bad) for state in reversed(states) if changed(state, bad))


def _way(state: RegionState, bad: Want) -> Way:
    good = last_good(state, bad)
    if good is not None:
        return Back(state.region, good)
    served = health.ready_digests(state.slot(state.live_slot).pods)
    return Stuck(state.region, state.live_slot, removable=served <= {bad.artifact.digest})
