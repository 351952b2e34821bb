"""What a strategy can ask for: one effect each, safe to be done twice."""

from __future__ import annotations

from dataclasses import dataclass

from release.health import Bad
from release.model import Slot


@dataclass(frozen=True, slots=True)
class Unblock:
    """Clear a Helm operation that a killed run left pending."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Install or upgrade the slot to the wanted artifact, with so many replicas; None for the environment's."""

    slot: Slot
    replicas: int | None = None


@dataclass(frozen=True, slots=True)
class Await:
    """Look again soon: pods are on their way."""

    slot: Slot
    ready: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Route:
    """Create the traffic objects, everything to this slot: there are none yet."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Preview:
    """Probe and smoke-test the slot at its own address, before it gets users."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Shift:
    """Give the slot this weight and the other slot the rest, in one write."""

    slot: Slot
    weight: int


@dataclass(frozen=True, slots=True)
class Judge:
    """Compare the slot with the live one on live traffic, at this weight, until there is a verdict."""

    slot: Slot
    weight: int


@dataclass(frozen=True, slots=True)
class Verify:
    """Probe and smoke-test the version where users reach it."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Remember:
    """Record on the route that this version is live; the other slot's revision, if any, is kept for the window.

    `back` when it went live on the way back: then what it replaced is nothing to go back to.
    """

    slot: Slot
    revision: int
    keep: int | None = None
    back: bool = False


@dataclass(frozen=True, slots=True)
class Retire:
    """Remove a slot without users: its Helm release, not its Service."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Condemn:
    """The version is bad here, for this reason."""

    slot: Slot
    why: Bad


@dataclass(frozen=True, slots=True)
class Done:
    """The wanted version is live, verified and recorded."""

    slot: Slot


Step = Unblock | Upgrade | Await | Route | Preview | Shift | Judge | Verify | Remember | Retire | Condemn | Done
