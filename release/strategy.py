"""The steps of a strategy, one at a time, from what is observed: nothing is remembered between two calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from release import health
from release.environment import Rolling
from release.labels import short_digest
from release.model import Artifact, Record, RegionState, Slot
from release.model import Route as RouteState


@dataclass(frozen=True, slots=True)
class Want:
    """What a region is to run: an artifact, its chart values' hash, and the limits of the roll-out."""

    artifact: Artifact
    config: str
    limits: Rolling


@dataclass(frozen=True, slots=True)
class Unblock:
    """Clear a Helm operation that a killed run left pending."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Install or upgrade the slot to the wanted artifact."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Await:
    """Look again soon: pods are on their way."""

    slot: Slot
    ready: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Route:
    """Create the traffic objects, everything to this slot: there are none yet."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Verify:
    """Probe and smoke-test the version where users reach it."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Remember:
    """Record on the route that this version is live."""

    slot: Slot
    revision: int


@dataclass(frozen=True, slots=True)
class Condemn:
    """The version is bad here, for this reason."""

    slot: Slot
    why: health.Bad


@dataclass(frozen=True, slots=True)
class Done:
    """The wanted version is live, verified and recorded."""

    slot: Slot


Step = Unblock | Upgrade | Await | Route | Verify | Remember | Condemn | Done


def rolling(state: RegionState, want: Want, *, verified: bool) -> Step:
    """The next step of a rolling release: upgrade the live slot in place, then verify and record it.

    `verified` says that this run has verified the version in this region since its last upgrade; a run that was
    killed in between verifies again.
    """
    slot = state.live_slot
    here = state.slot(slot)
    if here.release is not None and here.release.status.startswith("pending-"):
        return Unblock(slot)
    if here.release is None or not runs(state, want):
        return Upgrade(slot)
    found = health.of_slot(here, want.artifact.digest, want.limits)
    if isinstance(found, health.Bad):
        return Condemn(slot, found)
    if isinstance(found, health.Coming):
        return Await(slot, found.ready, found.wanted)
    if state.route is None:
        return Route(slot)
    if is_live(state.route.live, want):
        return Done(slot)
    return Remember(slot, here.release.revision) if verified else Verify(slot)


def runs(state: RegionState, want: Want) -> bool:
    """Whether the live slot was last upgraded to the wanted artifact and values, and nobody changed it since."""
    here = state.slot(state.live_slot)
    if here.release is None or here.workload is None:
        return False
    asked = (here.release.version, here.release.digest, here.release.config)
    wanted = (want.artifact.version, short_digest(want.artifact.digest), want.config)
    return asked == wanted and here.release.status == "deployed" and here.workload.digest == want.artifact.digest


def is_live(record: Record | None, want: Want) -> bool:
    """Whether a record is of the wanted artifact with the wanted values."""
    return record is not None and (record.artifact, record.config) == (want.artifact, want.config)


def records(route: RouteState | None, new: Record) -> tuple[Record, Record | None]:
    """What the route remembers after `new` went live: (live, previous).

    Going back to the previous version leaves none before it: the bad one is nothing to go back to.
    """
    old = route.live if route else None
    previous = route.previous if route else None
    if old is None or _same(old, new):
        return new, previous
    return new, None if previous is not None and _same(previous, new) else old


def _same(one: Record, other: Record) -> bool:
    return (one.artifact, one.config) == (other.artifact, other.config)


def settled(state: RegionState, want: Want) -> bool:
    """Whether there is nothing to do: live, recorded, and every Ready pod has the wanted digest."""
    return isinstance(rolling(state, want, verified=False), Done)


def unblock_revision(history: Sequence[tuple[int, str]]) -> int | None:
    """The revision that clears a pending operation: the newest that was ever deployed; None where none was.

    `history` are (revision, status) pairs of one Helm release.
    """
    return max((revision for revision, status in history if status in ("deployed", "superseded")), default=None)
