"""Maintenance mode: what it may be combined with, and how it is written on a route."""

from __future__ import annotations

import json
from datetime import datetime

from release.errors import Refused
from release.policies import Mode


def require_possible(mode: Mode, strategy: str, without_preview: tuple[str, ...]) -> None:
    """Raises Refused where `block` cannot be: blue-green and canary need their users, and a version that users do not
    reach is checked at its preview address, which every region must have (`without_preview` have none)."""
    if mode != "block":
        return
    if strategy != "rolling":
        raise Refused(
            f"maintenance mode `block` sends users away, but {strategy} needs them.",
            field="maintenance",
            next_step="Release with --strategy rolling, or set maintenance to banner or off.",
        )
    if without_preview:
        raise Refused(
            "maintenance mode `block` hides the address at which the version is checked, and there is no preview "
            f"address in {', '.join(without_preview)}.",
            field="maintenance",
            next_step="Give every region preview addresses, or set maintenance to banner or off.",
        )


def annotation(mode: Mode, until: str) -> str:
    """The annotation's text; `until` is ISO 8601 UTC, after which nobody minds it any more."""
    return json.dumps({"until": until, "mode": mode})


def until(annotation: str) -> float:
    """When it lapses, in seconds since the epoch; 0 without an annotation, and for one that somebody has spoilt."""
    try:
        return datetime.fromisoformat(json.loads(annotation)["until"]).timestamp()
    except (ValueError, KeyError, TypeError):
        return 0.0
