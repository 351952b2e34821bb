"""What a region remembers of the versions that went live, and of a slot kept for the rollback window."""

from __future__ import annotations

from collections.abc import Sequence

from release.model import Record, RegionState, Retirement, Slot
from release.model import Route as RouteState
from release.steps import Remember
from release.strategy import other


def records(route: RouteState | None, new: Record, *, back: bool = False) -> tuple[Record, Record | None]:
    """What the route remembers after `new` went live: (live, previous).

    Going `back` leaves none before it: the bad version is nothing to go back to. Going forward to what was live
    before is a release as any other.
    """
    old = route.live if route else None
    previous = route.previous if route else None
    if old is None or _same(old, new):
        return new, previous
    return new, None if back else old


def _same(one: Record, another: Record) -> bool:
    return (one.artifact, one.config) == (another.artifact, another.config)


def commits(states: Sequence[RegionState], but: str) -> tuple[str, ...]:
    """The commits recorded live in the regions, each once, without the one that is being released."""
    live = {state.route.live.artifact.commit for state in states if state.route and state.route.live}
    return tuple(sorted(live - {but}))


def retirement(step: Remember, until: str) -> Retirement | None:
    """The slot that is kept until the window ends (`until`, ISO 8601 UTC); None where the other slot is empty."""
    return None if step.keep is None else Retirement(other(step.slot), step.keep, until)


def due(state: RegionState, now: str) -> Slot | None:
    """The slot that may be removed at `now` (ISO 8601 UTC): its window is over, it has no users, and it is still the
    revision that was recorded for it."""
    route = state.route
    kept = route.retire if route else None
    if route is None or kept is None or kept.due > now or route.weight(kept.slot) > 0:
        return None
    release = state.slot(kept.slot).release
    return kept.slot if release is not None and release.revision == kept.revision else None


def unblock_revision(history: Sequence[tuple[int, str]]) -> int | None:
    """The revision that clears a pending operation: the newest that was ever deployed; None where none was.

    `history` are (revision, status) pairs of one Helm release.
    """
    return max((revision for revision, status in history if status in ("deployed", "superseded")), default=None)
