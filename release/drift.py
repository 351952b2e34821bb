"""Whether a region still runs what its last release recorded: told, never mended by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from release import health
from release.model import Record, RegionState
from release.model import Route as RouteState
from release.versions import shown


@dataclass(frozen=True, slots=True)
class Drift:
    """`what` differs in `region`: `recorded` is what the last release left, `found` what is there."""

    region: str
    what: str
    recorded: str
    found: str

    def __str__(self) -> str:
        return f"{self.region}: {self.what} is {self.found}; the last release left {self.recorded}."


def of_region(state: RegionState) -> tuple[Drift, ...]:
    """What differs there; nothing where nothing was ever recorded. Only for a region that no release is changing."""
    route = state.route
    if route is None or route.live is None:
        return ()
    return (*_weights(state.region, route, route.live), *_slot(state, route.live))


def _weights(region: str, route: RouteState, live: Record) -> tuple[Drift, ...]:
    if route.weight(live.slot) == 100:
        return ()
    return (Drift(region, "the split of users", f"100 % in {live.slot}", f"{route.weight(live.slot)} % there"),)


def _slot(state: RegionState, live: Record) -> tuple[Drift, ...]:
    slot = state.slot(live.slot)
    digests = sorted(health.ready_digests(slot.pods))
    found: list[Drift] = []
    if digests != [live.artifact.digest]:
        told = ", ".join(digest[:19] for digest in digests) or "none Ready"
        wanted = f"{live.artifact.digest[:19]} ({shown(live.artifact.version)})"
        found.append(Drift(state.region, "what the pods run", wanted, told))
    release = slot.release
    if release is None:
        found.append(Drift(state.region, f"the Helm release of {live.slot}", f"revision {live.revision}", "gone"))
    elif (release.revision, release.status) != (live.revision, "deployed"):
        there = f"revision {release.revision} ({release.status})"
        found.append(Drift(state.region, f"the Helm release of {live.slot}", f"revision {live.revision}", there))
    elif release.config != live.config:
        found.append(Drift(state.region, "the hash of the chart's values", live.config, release.config or "missing"))
    return tuple(found)


def told(environment: str, drifts: Sequence[Drift]) -> str:
    """For people; what is the same as last time need not be told again."""
    if not drifts:
        return f":white_check_mark: {environment} runs what its last release left."
    lines = (f"• {drift}" for drift in drifts)
    step = "Next: find out who changed it; `tidegate release` of the recorded version puts it right."
    return "\n".join((f":mag: {environment} is not as its last release left it.", *lines, step))
