"""Waiting in tests for what comes by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(holds: Callable[[], Any], within: float = 300.0) -> Any:
    """What it gives as soon as that is true; `within` in seconds, which a busy machine may need."""
    deadline = time.monotonic() + within
    while not (found := holds()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.2)
    return found
