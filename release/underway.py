"""What is under way now, as metrics: releases, their traffic and evidence, locks, approvals, and who answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from release.finished import PIPELINES
from release.metrics import DEPLOYMENT, Family, Labels
from release.model import SLOTS


@dataclass(frozen=True, slots=True)
class LockSeen:
    """An environment's lock: `seconds` since it was won, None where nobody holds it; `lapsed` when its holder died."""

    environment: str
    seconds: float | None = None
    lapsed: bool = False


@dataclass(frozen=True, slots=True)
class Under:
    """A release that holds a lock, for `seconds`, in `regions`."""

    run: str
    environment: str
    pipeline: str
    strategy: str
    regions: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Weight:
    """The percent of a region's users that a slot has, and whether maintenance mode is on for them."""

    environment: str
    region: str
    blue: int
    green: int
    maintenance: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """A verdict under way: ln of the evidence `against` (rolls back at `needed`) and in `favour` (goes on at
    `wanted`)."""

    environment: str
    region: str
    against: float
    needed: float
    favour: float
    wanted: float


@dataclass(frozen=True, slots=True)
class Now:
    """One look at everything. `waiting` are the seconds that each approval has waited, by environment; `sources` say
    who answered."""

    locks: tuple[LockSeen, ...] = ()
    releases: tuple[Under, ...] = ()
    weights: tuple[Weight, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    waiting: Mapping[str, Sequence[float]] = field(default_factory=dict)
    sources: Mapping[str, bool] = field(default_factory=dict)


def pipeline_of(what: str) -> str | None:
    """The pipeline of a lock's `what` (`production v1.5.0`); None where it deploys nothing."""
    word = what.partition(" ")[0]
    return word if word in PIPELINES else None


def evidence_of(facts: Mapping[str, Any]) -> Evidence | None:
    """What a release keeps of its verdict; None for anything else."""
    try:
        numbers = [float(facts[key]) for key in ("against", "needed", "favour", "wanted")]
        return Evidence(str(facts["environment"]), str(facts["region"]), *numbers)
    except (KeyError, TypeError, ValueError):
        return None


def families(now: Now, passed: float) -> list[Family]:
    """The metrics, `passed` seconds after the look: what is timed has gone on since."""
    return [
        Family(
            "deployment_duration_seconds",
            "gauge",
            "Seconds since a release under way won the lock",
            DEPLOYMENT,
            [
                ((one.environment, region, one.strategy, one.pipeline), one.seconds + passed)
                for one in now.releases
                for region in one.regions
            ],
        ),
        *_locks(now, passed),
        *_approvals(now, passed),
        Family(
            "tidegate_traffic_weight_percent",
            "gauge",
            "Share of a region's users that a slot has",
            ("environment", "region", "slot"),
            [
                ((one.environment, one.region, slot), float(one.blue if slot == "blue" else one.green))
                for one in now.weights
                for slot in SLOTS
            ],
        ),
        Family(
            "tidegate_maintenance",
            "gauge",
            "1 where maintenance mode is on in a region that is being released to",
            ("environment", "region"),
            [((one.environment, one.region), float(one.maintenance)) for one in now.weights],
        ),
        *_evidence(now.evidence),
        Family(
            "tidegate_source_up",
            "gauge",
            "1 where what these metrics are read from answered at the last look",
            ("source",),
            [((name,), float(up)) for name, up in sorted(now.sources.items())],
        ),
    ]


def caught_up(seconds: float | None) -> Family:
    """How old the table of finished releases is; no sample before it was first read."""
    samples: list[tuple[Labels, float]] = [] if seconds is None else [((), seconds)]
    text = "Seconds since Prefect's records were last read to their end"
    return Family("tidegate_records_age_seconds", "gauge", text, (), samples)


def _locks(now: Now, passed: float) -> list[Family]:
    held: list[tuple[Labels, float]] = []
    age: list[tuple[Labels, float]] = []
    lapsed: list[tuple[Labels, float]] = []
    for one in now.locks:
        labels = (one.environment,)
        held.append((labels, float(one.seconds is not None)))
        age.append((labels, 0.0 if one.seconds is None else one.seconds + passed))
        lapsed.append((labels, float(one.lapsed)))
    return [
        Family("tidegate_lock_held", "gauge", "1 where somebody holds the environment's lock", ("environment",), held),
        Family(
            "tidegate_lock_age_seconds", "gauge", "Seconds since the lock was won, 0 if free", ("environment",), age
        ),
        Family("tidegate_lock_lapsed", "gauge", "1 where the lock's holder died holding it", ("environment",), lapsed),
    ]


def _approvals(now: Now, passed: float) -> list[Family]:
    count = [((place,), float(len(waits))) for place, waits in sorted(now.waiting.items())]
    longest = [((place,), max(waits) + passed if waits else 0.0) for place, waits in sorted(now.waiting.items())]
    return [
        Family("tidegate_approvals_waiting", "gauge", "Releases that wait for approval", ("environment",), count),
        Family(
            "tidegate_approval_wait_seconds",
            "gauge",
            "Seconds that the oldest of them has waited",
            ("environment",),
            longest,
        ),
    ]


def _evidence(found: Sequence[Evidence]) -> list[Family]:
    names = ("environment", "region", "side")
    seen = [((one.environment, one.region, "against"), one.against) for one in found]
    seen += [((one.environment, one.region, "favour"), one.favour) for one in found]
    bound = [((one.environment, one.region, "against"), one.needed) for one in found]
    bound += [((one.environment, one.region, "favour"), one.wanted) for one in found]
    return [
        Family("tidegate_verdict_evidence", "gauge", "Evidence on a canary (ln of the odds)", names, seen),
        Family("tidegate_verdict_bound", "gauge", "Where that evidence decides", names, bound),
    ]
