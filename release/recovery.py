"""The way back from a bad release, decided from what is observed: traffic first, then what is left behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from release import health
from release.model import SLOTS, Record, RegionState, Slot, SlotState, Workload
from release.steps import Await, Condemn, Done, Remember, Retire, Shift, Step
from release.strategy import Seen, Want, asked, is_live, next_step, other, runs


@dataclass(frozen=True, slots=True)
class Back:
    """Bring a region back to a recorded version; `at_once` where its copy is up: one write of the weights."""

    region: str
    to: Record
    at_once: bool


@dataclass(frozen=True, slots=True)
class Stuck:
    """A changed region that nothing safe can be done to: a person must decide.

    `removable` where nothing else serves in the slot, as after a first release ever. `decide` is what to decide.
    """

    region: str
    slot: Slot
    removable: bool
    why: str
    decide: str = ""


Way = Back | Stuck


def last_good(state: RegionState, bad: Want) -> Record | None:
    """The newest recorded version of a region that is not the bad one; None where none is recorded."""
    route = state.route
    if route is None:
        return None
    return next((record for record in (route.live, route.previous) if record and not is_live(record, bad)), None)


def changed(state: RegionState, bad: Want) -> bool:
    """Whether a region is not wholly on its last good version: the bad one is recorded live or was asked of a slot,
    or the good one does not serve alone (as when a recovery was itself cut short).

    By records and digests: a good version's pod that has a bad moment of its own is no trace of the release.
    """
    if state.route is not None and is_live(state.route.live, bad):
        return True
    if any(asked(slot, bad) for slot in (state.blue, state.green)):
        return True
    here, good = state.slot(state.live_slot), last_good(state, bad)
    if here.release is None or good is None:
        return False
    return not _stands(here, good)


def ways(states: Sequence[RegionState], bad: Want) -> tuple[Way, ...]:
    """What to do, in order: `states` come in the release's order, and regions go back in reverse."""
    return tuple(_way(state, bad) for state in reversed(states) if changed(state, bad))


def _way(state: RegionState, bad: Want) -> Way:
    good = last_good(state, bad)
    live = state.live_slot
    if good is None:
        alone = health.ready_digests(state.slot(live).pods) <= {bad.artifact.digest}
        return Stuck(state.region, live, removable=alone, why="there was no good version before it to go back to.")
    if not _kept(state, good, bad):
        return Back(state.region, good, at_once=False)
    up = serves(state.slot(good.slot), good)
    if state.route is not None and state.route.weight(good.slot) == 100:
        return Back(state.region, good, at_once=up)
    if not up:
        why = f"the kept copy of v{good.artifact.version} in {good.slot} is not healthy either."
        return Stuck(state.region, good.slot, removable=False, why=why)
    return Back(state.region, good, at_once=True)


def shift_back(state: RegionState, way: Back, bad: Want) -> Shift | None:
    """The one write that takes the users back; None where they are back, or where the good copy cannot take them."""
    if state.route is None or state.route.weight(way.to.slot) == 100:
        return None
    ready = _kept(state, way.to, bad) and serves(state.slot(way.to.slot), way.to)
    return Shift(way.to.slot, 100) if ready else None


def bad_share(state: RegionState, bad: Want) -> int:
    """The percent of the region's users who are on the bad version."""
    route = state.route
    return 0 if route is None else sum(route.weight(slot) for slot in SLOTS if asked(state.slot(slot), bad))


def step_back(state: RegionState, way: Back, bad: Want, seen: Seen) -> Step:
    """The next step of a region's way back; Done when only the good version is left and it is recorded."""
    if (shift := shift_back(state, way, bad)) is not None:
        return shift
    step = next_step(state, wanted(way, bad), replace(seen, verified=True))
    if isinstance(step, Condemn) and step.why.cause == health.FAILED_CREATE:
        # The bad version's pods count against the quota until they are gone; the good ones come after them.
        return _await(state.slot(step.slot), way.to)
    if isinstance(step, Remember):
        return Remember(step.slot, step.revision, back=True)
    if not isinstance(step, Done):
        return step
    idle = state.slot(other(state.live_slot))
    if asked(idle, bad) and state.route is not None and state.route.weight(idle.slot) == 0:
        return Retire(idle.slot)
    return step


def wanted(way: Back, bad: Want) -> Want:
    """The good version as something to bring about, in place."""
    return replace(bad, artifact=way.to.artifact, config=way.to.config, weights=())


def _await(here: SlotState, good: Record) -> Await:
    return Await(here.slot, _ready(here, good), here.workload.replicas if here.workload else 0)


def serves(here: SlotState, good: Record) -> bool:
    """Whether a kept copy can take all users: Ready pods of the good version for three quarters of its count."""
    if here.workload is None:
        return False
    return here.workload.replicas > 0 and _enough(here.workload, here, good)


def _stands(here: SlotState, good: Record) -> bool:
    """Whether the slot runs the good version, no other one's pod is left running, and enough are Ready."""
    if here.workload is None or here.workload.digest != good.artifact.digest:
        return False
    alone = all(pod.digest == good.artifact.digest for pod in here.pods if not pod.terminating)
    return alone and _enough(here.workload, here, good)


def _enough(workload: Workload, here: SlotState, good: Record) -> bool:
    return _ready(here, good) * 4 >= workload.replicas * 3


def _ready(here: SlotState, good: Record) -> int:
    return sum(pod.ready and not pod.terminating and pod.digest == good.artifact.digest for pod in here.pods)


def _kept(state: RegionState, good: Record, bad: Want) -> bool:
    """Whether the slot that ran the good version still does, beside the bad one."""
    return runs(state.slot(good.slot), replace(bad, artifact=good.artifact, config=good.config))
