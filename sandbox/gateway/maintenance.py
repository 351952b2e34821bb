"""Maintenance mode, as the route's annotation says it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.gateway.model import Maintenance

ANNOTATION = "tidegate.dev/maintenance"


def maintenance(metadata: Mapping[str, Any]) -> Maintenance | None:
    """`{"until": ISO 8601, "mode": "banner" | "block"}`; None without it, and for one that cannot be read,
    because a gateway must go on serving.
    """
    text = (metadata.get("annotations") or {}).get(ANNOTATION)
    if not text:
        return None
    try:
        said = json.loads(text)
        until = datetime.fromisoformat(said["until"])
        mode = said.get("mode", "banner")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return Maintenance(until.timestamp(), mode == "block")
