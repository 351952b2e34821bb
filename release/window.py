"""The rollback window after a version went live: until when it is watched, and what ends it before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from release.locking import Held
from release.model import Record, RegionState
from release.strategy import Want

_FORM = "%Y-%m-%dT%H:%M:%SZ"
# What holds the lock without changing what users see.
_HARMLESS = "retire "


def ends(record: Record, seconds: float) -> str:
    """When the window of a version that went live closes, of `seconds` length (ISO 8601 UTC)."""
    return (_at(record.at) + timedelta(seconds=seconds)).strftime(_FORM)


def left(end: str, now: str) -> float:
    """Seconds until `end`; 0 when that is over."""
    return max(0.0, (_at(end) - _at(now)).total_seconds())


def of_region(state: RegionState, seconds: float, now: str) -> str | None:
    """When the window that is open in the region closes; None where none is."""
    live = state.route.live if state.route else None
    if live is None:
        return None
    end = ends(live, seconds)
    return end if left(end, now) > 0 else None


def alone(state: RegionState, now: str) -> float:
    """For how many seconds what is live has had all users of the region; 0 while the other slot has some."""
    route = state.route
    if route is None or route.live is None or route.weight(route.live.slot) < 100:
        return 0.0
    return max(0.0, (_at(now) - _at(route.live.at)).total_seconds())


def last(ends: list[str | None]) -> str:
    """The last of these ends; empty where no window is open."""
    return max((end for end in ends if end is not None), default="")


def overtaken(watched: Record, state: RegionState, held: Held | None, now: float) -> str:
    """Why what was watched is no longer this window's business; empty while it is.

    `now` is seconds since the epoch in the time of the lock. A release closes the window of the one before it.
    """
    live = state.route.live if state.route else None
    if live is None or live.artifact != watched.artifact:
        return f"v{live.artifact.version} went live" if live else "nothing is recorded live any more"
    if held is not None and held.lapses > now and not held.holder.what.startswith(_HARMLESS):
        return f"{held.holder.what} began"
    return ""


def bad(want: Want, live: Record) -> Want:
    """`want` as what went live then: the values may have been changed since, and it would else be found nowhere."""
    return replace(want, artifact=live.artifact, config=live.config)


def _at(text: str) -> datetime:
    return datetime.strptime(text, _FORM).replace(tzinfo=UTC)
