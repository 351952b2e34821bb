"""The way back from a bad release, decided from what is observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from release.health import ready_digests
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
    """Whether the bad version touched this region: recorded live, asked of Helm, or running in a pod."""
    if state.route is not None and is_live(state.route.live, bad):
        return True
    digest = bad.artifact.digest
    for slot in (state.blue, state.green):
        release = slot.release
        if release and (release.digest, release.config) == (short_digest(digest), bad.config):
            return True
        if any(pod.digest == digest and not _recorded(state, digest) for pod in slot.pods if not pod.terminating):
            return True
    return False


def _recorded(state: RegionState, digest: str) -> bool:
    """The same image may be the good one with other values; then only Helm's labels tell the two apart."""
    records = (state.route.live, state.route.previous) if state.route else ()
    return any(record is not None and record.artifact.digest == digest for record in records)


def ways(states: Sequence[RegionState], bad: Want) -> tuple[Way, ...]:
    """What to do, in order: `states` come in the release's order, and regions go back in reverse."""
    return tuple(_way(state, bad) for state in reversed(states) if changed(state, bad))


def _way(state: RegionState, bad: Want) -> Way:
    good = last_good(state, bad)
    if good is not None:
        return Back(state.region, good)
    served = ready_digests(state.slot(state.live_slot).pods)
    return Stuck(state.region, state.live_slot, removable=served <= {bad.artifact.digest})
