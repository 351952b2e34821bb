"""Deliveries that GitHub could not make while the service was down, and which of them are asked for again."""

from __future__ import annotations

# GitHub keeps deliveries, and makes them again, for three days.
KEPT_S = 3 * 86_400.0
