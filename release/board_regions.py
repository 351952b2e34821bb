"""A region as the release board shows it: what is live, how the users are split, and what is not as it should be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from release import health
from release.board_seen import SeenRegion
from release.model import SLOTS, RegionState, Slot, SlotState

# How much a thing needs a person: bad now, warn soon, busy while a release does it, good as it should be, none nothing.
Tone = Literal["bad", "warn", "busy", "good", "none"]
# What was not seen for so many seconds is told as not seen.
STALE = 20.0


@dataclass(frozen=True, slots=True)
class SlotView:
    """A slot that holds something: its version, the percent of users it has, and its pods."""

    slot: Slot
    version: str
    weight: int
    ready: int
    pods: int


@dataclass(frozen=True, slots=True)
class RegionView:
    """One row. `since` and `kept_until` are ISO 8601 UTC or empty; `run` is the run that made `version` live, and
    `previous` the version that was live before."""

    environment: str
    region: str
    address: str
    tone: Tone
    note: str
    version: str = ""
    digest: str = ""
    since: str = ""
    run: str = ""
    previous: str = ""
    ready: int = 0
    wanted: int = 0
    slots: tuple[SlotView, ...] = ()
    kept_until: str = ""


def view(seen: SeenRegion, now: float, *, under_way: bool, back: bool = False) -> RegionView:
    """The row. `under_way` is whether a release holds the environment's lock, `back` whether it is taken back."""
    empty = RegionView(seen.environment, seen.region, seen.address, "none", "")
    if seen.state is None:
        if not seen.problem:
            return _with(empty, "none", "not seen yet")
        return _with(empty, "bad", f"cannot be seen: {seen.problem}")
    found = _of_state(empty, seen.state)
    if seen.problem or now - seen.at > STALE:
        why = seen.problem or "it does not answer"
        return _with(found, "bad", f"not seen since {_clock(seen.at)}: {why}")
    return _judged(found, seen.state, under_way=under_way, back=back)


def _of_state(empty: RegionView, state: RegionState) -> RegionView:
    route, slot = state.route, state.slot(state.live_slot)
    live = route.live if route else None
    digests = sorted(health.ready_digests(slot.pods))
    return RegionView(
        empty.environment,
        empty.region,
        empty.address,
        "good",
        "",
        version=live.artifact.version if live else "",
        digest=digests[0] if len(digests) == 1 else "",
        since=live.at if live else "",
        run=live.run if live else "",
        previous=route.previous.artifact.version if route and route.previous else "",
        ready=_ready(slot),
        wanted=slot.workload.replicas if slot.workload else 0,
        slots=tuple(_slot(state, name) for name in SLOTS if state.slot(name).release or state.slot(name).pods),
        kept_until=route.retire.due if route and route.retire else "",
    )


def _slot(state: RegionState, name: Slot) -> SlotView:
    slot, route = state.slot(name), state.route
    version = slot.release.version if slot.release else ""
    weight = route.weight(name) if route else 0
    return SlotView(name, version, weight, _ready(slot), sum(not pod.terminating for pod in slot.pods))


def _judged(found: RegionView, state: RegionState, *, under_way: bool, back: bool) -> RegionView:
    route = state.route
    live = route.live if route else None
    if live is None:
        if not found.slots:
            return _with(found, "none", "nothing is live yet")
        return _with(found, "busy" if under_way else "warn", "nothing was ever verified here")
    digests = sorted(health.ready_digests(state.slot(state.live_slot).pods))
    if not digests:
        return _with(found, "bad", "no pod of the live version is Ready")
    if digests != [live.artifact.digest]:
        doing = "is taken back" if back else "is replaced"
        if under_way:
            return _with(found, "busy", f"{doing} in place: {_mixed(state, live.artifact.digest)}")
        return _with(found, "bad", f"the Ready pods are not what was recorded: {_mixed(state, live.artifact.digest)}")
    if route is not None and 0 < route.blue < 100:
        if under_way:
            return _with(found, "busy", "users are split")
        return _with(found, "warn", "users are split and no release is under way")
    if found.ready < found.wanted:
        text = f"{found.ready} of {found.wanted} pods are Ready"
        return _with(found, "busy" if under_way else "warn", text)
    return found


def _mixed(state: RegionState, recorded: str) -> str:
    pods = [pod for pod in state.slot(state.live_slot).pods if pod.ready and not pod.terminating]
    same = sum(pod.digest == recorded for pod in pods)
    return f"{same} of {len(pods)} Ready pods have the recorded digest"


def _ready(slot: SlotState) -> int:
    return sum(pod.ready and not pod.terminating for pod in slot.pods)


def _with(view: RegionView, tone: Tone, note: str) -> RegionView:
    return replace(view, tone=tone, note=note)


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S UTC")
