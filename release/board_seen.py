"""What the release board is folded from: what was seen of clusters, runs, gates and the past, as plain data.

Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from release.dora import Measures
from release.locking import Held
from release.model import RegionState
from release.shifts import Shift

Stage = Literal["waiting", "running", "done", "failed"]
# The outcomes after which an environment is not as it was before.
DEPLOYED = ("released", "recovered", "halted")


@dataclass(frozen=True, slots=True)
class SeenRegion:
    """A region as it was last seen `at`; `state` is None before that. `problem` is why it does not answer now."""

    environment: str
    region: str
    address: str
    state: RegionState | None = None
    at: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SeenLock:
    """An environment's lock; `now` is the API server's time. `problem` is why it does not answer."""

    environment: str
    held: Held | None = None
    now: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SeenPart:
    """A region of a run, or its way back (`region` empty): its subflow's times, the newest line it told, and when its
    canary got its weights."""

    region: str
    stage: Stage
    began: float | None = None
    ended: float | None = None
    line: str = ""
    shifts: tuple[Shift, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenRun:
    """A run that holds a lock. `began` is when it did, `parts` what it began itself, oldest first; `waves` are the
    regions that it is for, `url` is its page at Prefect and `pipeline` its flow. `weights` are a canary's up to all
    users, empty where it is none; each but the last is kept for `least` seconds at least."""

    run: str
    strategy: str = ""
    waves: tuple[tuple[str, ...], ...] = ()
    began: float = 0.0
    parts: tuple[SeenPart, ...] = ()
    url: str = ""
    pipeline: str = ""
    weights: tuple[int, ...] = ()
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that are expected of each region, and of what is before and after them; nothing where none is known.

    `before` are those until the lock is won, `prepared` those from there to the first region, `back` those of a way
    back; `weights` are those of a canary at a region's weight.
    """

    regions: Mapping[str, float] = field(default_factory=dict)
    around: float = 0.0
    before: float = 0.0
    prepared: float = 0.0
    back: float = 0.0
    weights: Mapping[tuple[str, int], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Course:
    """A canary's verdict in a region: ln of the evidence `against` (rolls back at `needed`) and in `favour` (goes on
    at `wanted`). `chart` changes whenever there is a new picture of it, and is empty where there is none."""

    run: str
    region: str
    weight: int
    against: float
    needed: float
    favour: float
    wanted: float
    sentence: str
    chart: str = ""


@dataclass(frozen=True, slots=True)
class SeenVote:
    """A person's vote; `counts` is empty, or says why it does not."""

    person: str
    decision: str
    at: float
    reason: str = ""
    counts: str = ""


@dataclass(frozen=True, slots=True)
class SeenApproval:
    """A run at its gates: `missing` approvals of `needed`, and `until` when its timer is over. `reason` is why it
    waits, `next_step` what a person can do."""

    run: str
    what: str
    environment: str
    requester: str
    proven: bool
    since: float
    needed: int
    missing: int
    strategy: str = ""
    digest: str = ""
    regions: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    votes: tuple[SeenVote, ...] = ()
    until: float = 0.0
    reason: str = ""
    next_step: str = ""
    break_glass: str = ""


@dataclass(frozen=True, slots=True)
class SeenFreeze:
    """A time in which nothing is released."""

    environment: str
    name: str
    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class Past:
    """A release that ended. `seconds` is its time under the lock."""

    run: str
    pipeline: str
    environment: str
    version: str
    strategy: str
    outcome: str
    actor: str
    ended: float
    seconds: float = 0.0
    recovery: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """DORA's measures of the last 30 days, of the 30 before, and of each of the last weeks, oldest first."""

    now: Measures
    before: Measures
    weeks: tuple[Measures, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at everything, `at` this time. `past` are the newest of `count` releases, `deployed` the newest of each
    environment that changed it, however old, and `actors` who started what is live, by run; `silent` names what does
    not answer, and why."""

    at: float
    target: str = "real"
    application: str = ""
    regions: tuple[SeenRegion, ...] = ()
    locks: tuple[SeenLock, ...] = ()
    runs: Mapping[str, SeenRun] = field(default_factory=dict)
    paces: Mapping[str, Pace] = field(default_factory=dict)
    courses: tuple[Course, ...] = ()
    approvals: tuple[SeenApproval, ...] = ()
    freezes: tuple[SeenFreeze, ...] = ()
    past: tuple[Past, ...] = ()
    count: int = 0
    deployed: Mapping[str, Past] = field(default_factory=dict)
    actors: Mapping[str, str] = field(default_factory=dict)
    measured: Measured | None = None
    silent: Mapping[str, str] = field(default_factory=dict)
