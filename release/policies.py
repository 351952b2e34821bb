"""What an environment's file says of a release's preparation, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["off", "banner", "block"]


@dataclass(frozen=True, slots=True)
class Maintenance:
    """`banner` tells users by a header, `block` answers 503 with Retry-After. `longest` (seconds) is when it lapses
    by itself, should the run that switched it on die."""

    mode: Mode = "off"
    longest: float = 3600.0


@dataclass(frozen=True, slots=True)
class Checks:
    """Which checks are on. That staging verified the digest is always asked: nothing else says what to release."""

    release_notes: bool = True
    way_back: bool = True
    last_good: bool = True
    migrations: bool = True
    team_told: bool = True


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Whether going back is tried in this environment after each release, and the seconds it may take."""

    enabled: bool = False
    budget: float = 120.0
