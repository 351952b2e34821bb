"""The steps of a strategy, one at a time, from what is observed: the cluster says how far a release got.

rolling     upgrade the live slot in place
blue-green  fill the idle slot, check it at its preview address, weight 0 -> 100
canary      the same, with weights in between and a verdict at each
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from release import health
from release.environment import Rolling
from release.labels import short_digest
from release.model import SLOTS, Artifact, Record, RegionState, Slot, SlotState
from release.model import Route as RouteState
from release.steps import (
    Await,
    Condemn,
    Done,
    Judge,
    Preview,
    Remember,
    Retire,
    Route,
    Shift,
    Step,
    Unblock,
    Upgrade,
    Verify,
)


@dataclass(frozen=True, slots=True)
class Want:
    """What a region is to run: an artifact, its chart values' hash, the limits of the roll-out.

    `weights` are the shares of users, in percent and rising, that the new version gets before all of them: empty
    for rolling, (100,) for blue-green, (10, 25, 50, 100) for a canary. `replicas` is the whole count.
    """

    artifact: Artifact
    config: str
    limits: Rolling
    weights: tuple[int, ...] = ()
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What only this run knows, lost when it dies: then it is looked at again.

    `verified` live since the last upgrade or shift, `previewed` at the preview address, `judged` the highest weight
    at which the verdict was to go on.
    """

    verified: bool = False
    previewed: bool = False
    judged: int = 0


def next_step(state: RegionState, want: Want, seen: Seen) -> Step:
    """The next step towards `want`. A region without a recorded live version is filled in place."""
    route = state.route
    if not want.weights or route is None or route.live is None:
        return _in_place(state, want, seen)
    if any(route.weight(slot) == 100 and runs(state.slot(slot), want) for slot in SLOTS):
        return _in_place(state, want, seen)
    return _beside(state, want, seen, route)


def _in_place(state: RegionState, want: Want, seen: Seen) -> Step:
    slot = state.live_slot
    here, idle = state.slot(slot), state.slot(other(slot))
    if state.route is not None and state.route.weight(slot) < 100 and _ready(here):
        # A release that died left users on the other slot.
        return Shift(slot, 100)
    if _pending(here):
        return Unblock(slot)
    if not runs(here, want):
        return Retire(idle.slot) if _abandoned(state, idle) else Upgrade(slot)
    waiting = _coming(here, want)
    if waiting is not None:
        return waiting
    if state.route is None:
        return Route(slot)
    live = state.route.live
    if live is not None and is_live(live, want) and live.slot == slot:
        return Done(slot)
    if not seen.verified:
        return Verify(slot)
    assert here.release is not None
    return Remember(slot, here.release.revision, idle.release.revision if idle.release else None)


def _beside(state: RegionState, want: Want, seen: Seen, route: RouteState) -> Step:
    # A slot that was filled with this version is the new one, whatever was recorded when its predecessor died.
    filled = (slot for slot in SLOTS if asked(state.slot(slot), want) and route.weight(slot) < 100)
    slot = next(filled, other(state.live_slot))
    here, weight = state.slot(slot), route.weight(slot)
    if _pending(here):
        return Unblock(slot)
    if not runs(here, want):
        # Another release left users on this slot: they go back before it is filled anew.
        if weight > 0 and _ready(state.slot(other(slot))):
            return Shift(other(slot), 100)
        return Upgrade(slot, _count(want, want.weights[0], state, slot))
    target = next((step for step in want.weights if step > weight), 100)
    # Blue-green knows no verdict. A canary that a run before left at any share is judged there first.
    judged = weight == 0 or len(want.weights) < 2 or seen.judged >= weight
    # The verdict takes a canary that was dropped below its first step back to it.
    needed = _count(want, target if judged else max(weight, want.weights[0]), state, slot)
    if here.workload is not None and here.workload.replicas < needed:
        return Upgrade(slot, needed)
    waiting = _coming(here, want)
    if waiting is not None:
        return waiting
    if weight == 0 and not seen.previewed:
        return Preview(slot)
    return Shift(slot, target) if judged else Judge(slot, weight)


def _count(want: Want, weight: int, state: RegionState, slot: Slot) -> int:
    """Replicas for a share of the users: ceil(weight x total). The live slot may have been scaled beyond `replicas`."""
    live = state.slot(other(slot)).workload
    total = max(want.replicas, live.replicas if live else 0)
    return math.ceil(weight * total / 100)


def _coming(here: SlotState, want: Want) -> Await | Condemn | None:
    found = health.of_slot(here, want.artifact.digest, want.limits)
    if isinstance(found, health.Bad):
        return Condemn(here.slot, found)
    return Await(here.slot, found.ready, found.wanted) if isinstance(found, health.Coming) else None


def _ready(here: SlotState) -> bool:
    return bool(health.ready_digests(here.pods))


def _pending(here: SlotState) -> bool:
    return here.release is not None and here.release.status.startswith("pending-")


def _abandoned(state: RegionState, idle: SlotState) -> bool:
    """A slot that an earlier release kept for its window: a new release closes that window."""
    route = state.route
    kept = route.retire if route else None
    if route is None or kept is None or idle.release is None or route.weight(idle.slot) > 0:
        return False
    return (kept.slot, kept.revision) == (idle.slot, idle.release.revision)


def other(slot: Slot) -> Slot:
    """The other slot."""
    return "green" if slot == "blue" else "blue"


def asked(here: SlotState, want: Want) -> bool:
    """Whether the slot's newest Helm revision, finished or not, is of the wanted artifact and values."""
    release = here.release
    if release is None:
        return False
    wanted = (want.artifact.version, short_digest(want.artifact.digest), want.config)
    return (release.version, release.digest, release.config) == wanted


def runs(here: SlotState, want: Want) -> bool:
    """Whether the slot was last upgraded to the wanted artifact and values, and nobody changed it since."""
    if not asked(here, want) or here.release is None or here.workload is None:
        return False
    return here.release.status == "deployed" and here.workload.digest == want.artifact.digest


def is_live(record: Record | None, want: Want) -> bool:
    """Whether a record is of the wanted artifact with the wanted values."""
    return record is not None and (record.artifact, record.config) == (want.artifact, want.config)


def settled(state: RegionState, want: Want) -> bool:
    """Whether there is nothing to do: live, recorded, and every Ready pod has the wanted digest."""
    return isinstance(next_step(state, want, Seen()), Done)
