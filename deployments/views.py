"""What `tidegate status` shows, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from clients.prefect_runs import Run


@dataclass(frozen=True, slots=True)
class SlotView:
    """One slot as a person wants to see it; `helm` is the status and revision of its release."""

    version: str = ""
    ready: int = 0
    pods: int = 0
    helm: str = ""


@dataclass(frozen=True, slots=True)
class RegionView:
    """One region: `version` and `digest` are what serves, `weights` the shares of blue and green in percent."""

    environment: str
    region: str
    address: str
    version: str = ""
    digest: str = ""
    ready: int = 0
    since: str = ""
    weights: str = ""
    slots: dict[str, SlotView] = field(default_factory=dict)
    kept_until: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class LockView:
    """Who holds an environment's lock; `orders` are what people told the release to do."""

    environment: str
    what: str
    who: str
    run: str
    note: str = ""
    lapsed: bool = False
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """A release at its gates: how many must approve, who has, and what it waits for (approvals or its timer)."""

    run: str
    what: str
    environment: str
    requester: str
    needed: int
    approved: tuple[str, ...]
    waiting: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it. `waiting` are runs that wait for people or for their time; `silent` says why runs are not known."""

    target: str
    regions: tuple[RegionView, ...]
    locks: tuple[LockView, ...]
    running: tuple[Run, ...] = ()
    waiting: tuple[Run, ...] = ()
    approvals: tuple[ApprovalView, ...] = ()
    silent: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)
