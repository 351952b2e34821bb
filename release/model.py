"""What is observed, as plain frozen data: nothing here knows how it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Slot = Literal["blue", "green"]
SLOTS: tuple[Slot, Slot] = ("blue", "green")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A built version: `digest` is `sha256:<64 hex>`, `commit` the full SHA-1, `version` `X.Y.Z` or `dev-<sha>`."""

    version: str
    digest: str
    commit: str


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as the API server shows it.

    `digest` is the one its container spec asks for (None for an image without a digest). `waiting` is the
    container's waiting reason (`ImagePullBackOff`, `CrashLoopBackOff`, `CreateContainerConfigError`, ...);
    `exit_code` the last termination's. `unschedulable` is the scheduler's message, None while there is none.
    `running_seconds` counts from its container's start, `unready_seconds` from that or from when it was Ready last,
    whichever came later; both are 0 where it does not run, the latter also while it is Ready. `failed_start` is how
    long its container's last life was, where that ended after all the time that its startup probe gives without having
    been Ready; else 0.
    """

    name: str
    digest: str | None
    image: str = ""
    ready: bool = False
    terminating: bool = False
    running: bool = False
    restarts: int = 0
    waiting: str | None = None
    message: str = ""
    exit_code: int | None = None
    unschedulable: str | None = None
    running_seconds: float = 0.0
    unready_seconds: float = 0.0
    failed_start: float = 0.0
    age_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class HelmRelease:
    """A slot's current Helm revision. `status` is Helm's word: deployed, pending-upgrade, failed, ...

    `version`, `digest` (its first 40 hex digits), `commit` and `config` (a hash of the values) are its labels.
    """

    name: str
    revision: int
    status: str
    version: str = ""
    digest: str = ""
    commit: str = ""
    config: str = ""


@dataclass(frozen=True, slots=True)
class Workload:
    """The slot's Deployment. `replicas` is what it is to have, be it by its autoscaler's minimum.

    `observed` is False until its controller has seen the newest spec. `failure` is the message of its ReplicaFailure
    condition (quota, admission), None without one.
    """

    digest: str | None
    replicas: int
    updated: int = 0
    ready: int = 0
    total: int = 0
    observed: bool = True
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class SlotState:
    """One slot of a region: its Helm release, its Deployment and its pods, each None or empty when absent."""

    slot: Slot
    release: HelmRelease | None = None
    workload: Workload | None = None
    pods: tuple[Pod, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """What the route remembers of a version that went live.

    `revision` is the slot's Helm revision that ran it, `config` a hash of its chart values without the image;
    `at` is ISO 8601 UTC, `run` the run's id.
    """

    artifact: Artifact
    slot: Slot
    revision: int
    config: str
    at: str
    run: str


@dataclass(frozen=True, slots=True)
class Retirement:
    """A slot that is kept for the rollback window: its Helm revision, and when it is `due` (ISO 8601 UTC)."""

    slot: Slot
    revision: int
    due: str


@dataclass(frozen=True, slots=True)
class Route:
    """The traffic split: `blue` and `green` are weights that sum to 100. `live` went live last, `previous` before.

    `maintenance` is when maintenance mode lapses, in seconds since the epoch; 0 where it is off.
    """

    blue: int
    green: int
    live: Record | None = None
    previous: Record | None = None
    retire: Retirement | None = None
    maintenance: float = 0.0

    def weight(self, slot: Slot) -> int:
        return self.blue if slot == "blue" else self.green


@dataclass(frozen=True, slots=True)
class RegionState:
    """Everything a decision about one region may use."""

    region: str
    blue: SlotState
    green: SlotState
    route: Route | None = None

    def slot(self, name: Slot) -> SlotState:
        return self.blue if name == "blue" else self.green

    @property
    def live_slot(self) -> Slot:
        """The slot that was recorded live while it has users, else the one with more; blue without a route."""
        route = self.route
        if route is None:
            return "blue"
        if route.live is not None and route.weight(route.live.slot) > 0:
            return route.live.slot
        return "blue" if route.blue >= route.green else "green"
