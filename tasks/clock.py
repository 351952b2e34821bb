"""The time of day, in one place, for what is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def now() -> str:
    """ISO 8601 in UTC, whole seconds."""
    return later(0)


def later(seconds: float) -> str:
    """So many seconds from now, as `now`."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
