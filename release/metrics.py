"""What is measured of releases, as plain samples: from the table of finished ones and from what is under way.

Every counter is there at 0 for every known combination of labels before its first event: Prometheus' `increase` does
not see a series begin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from release.dora import Measures
from release.finished import OUTCOMES, PIPELINES

Labels = tuple[str, ...]
Kind = Literal["counter", "gauge", "histogram"]
DEPLOYMENT = ("environment", "region", "strategy", "pipeline")
# Seconds. A rolling update takes minutes, a canary up to hours; 1800 is where a release counts as stuck.
DURATIONS = (30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0)
RECOVERIES = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram: how many were at most each bound (cumulative, without +Inf), all of them, and their sum."""

    below: tuple[int, ...]
    count: int
    total: float


@dataclass(frozen=True, slots=True)
class Total:
    """What the table says of one (environment, region, strategy, pipeline). `latest` is the newest recovery's
    seconds, None without one."""

    labels: Labels
    success: int
    failed: int
    durations: Distribution
    recoveries: Distribution
    latest: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The table of finished releases, folded. `runs` by (pipeline, environment, outcome), `prevented` by
    (environment, strategy), `halted` the environments whose last deployment was halted."""

    totals: tuple[Total, ...] = ()
    runs: Mapping[Labels, int] = field(default_factory=dict)
    prevented: Mapping[Labels, int] = field(default_factory=dict)
    halted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: `samples` hold label values and a number, or a Distribution over `bounds`."""

    name: str
    kind: Kind
    help: str
    labels: Labels
    samples: Sequence[tuple[Labels, float | Distribution]]
    bounds: tuple[float, ...] = ()


def combinations(regions: Mapping[str, Iterable[str]], strategies: Mapping[str, Sequence[str]]) -> list[Labels]:
    """Every (environment, region, strategy, pipeline) that may come: `regions` by environment, `strategies` by
    pipeline."""
    return [
        (environment, region, strategy, pipeline)
        for environment, places in regions.items()
        for pipeline, where in PIPELINES.items()
        if where in (environment, None)
        for strategy in strategies.get(pipeline, ("rolling",))
        for region in places
    ]


def of_table(table: Table, dora: Mapping[str, Measures], known: Sequence[Labels]) -> list[Family]:
    """The metrics of finished releases; `dora` by its window, `known` the combinations that are there at 0."""
    totals = {labels: Total(labels, 0, 0, _nothing(DURATIONS), _nothing(RECOVERIES)) for labels in known}
    totals |= {total.labels: total for total in table.totals}
    every = totals.items()
    latest = [(labels, one.latest) for labels, one in every if one.latest is not None]
    return [
        _deployments(
            "deployments", "Deployments to a region that ended", [(k, v.success + v.failed) for k, v in every]
        ),
        _deployments("deployments_success", "Deployments that went live", [(k, v.success) for k, v in every]),
        _deployments("deployments_failed", "Deployments that did not go live", [(k, v.failed) for k, v in every]),
        Family(
            "deployment_finished_duration_seconds",
            "histogram",
            "Seconds from winning the lock to the end, of releases that ended",
            DEPLOYMENT,
            [(labels, one.durations) for labels, one in every],
            DURATIONS,
        ),
        Family(
            "deployment_recovery_duration_seconds",
            "histogram",
            "Seconds from the decision that a version is bad until its release was taken back",
            DEPLOYMENT,
            [(labels, one.recoveries) for labels, one in every],
            RECOVERIES,
        ),
        Family(
            "deployment_recovery_time_seconds",
            "gauge",
            "Seconds that the newest recovery took",
            DEPLOYMENT,
            latest,
        ),
        *_runs(table, known),
        *_dora(dora),
    ]


def _nothing(bounds: tuple[float, ...]) -> Distribution:
    return Distribution((0,) * len(bounds), 0, 0.0)


def _deployments(name: str, text: str, samples: list[tuple[Labels, float]]) -> Family:
    return Family(name, "counter", text, DEPLOYMENT, samples)


def _runs(table: Table, known: Sequence[Labels]) -> list[Family]:
    pairs = {(pipeline, environment) for environment, _, _, pipeline in known}
    runs = {(pipeline, place, word): 0 for pipeline, place in sorted(pairs) for word in OUTCOMES}
    prevented = {(environment, strategy): 0 for environment, _, strategy, _ in known}
    places = sorted({environment for environment, *_ in known} | table.halted)
    return [
        Family(
            "tidegate_runs",
            "counter",
            "Runs that ended, whether they deployed anything or not",
            ("pipeline", "environment", "outcome"),
            list((runs | dict(table.runs)).items()),
        ),
        Family(
            "tidegate_incidents_prevented",
            "counter",
            "Bad versions taken back before all users of any region had them",
            ("environment", "strategy"),
            list((prevented | dict(table.prevented)).items()),
        ),
        Family(
            "tidegate_release_halted",
            "gauge",
            "1 where the last deployment was halted and a person must decide",
            ("environment",),
            [((place,), float(place in table.halted)) for place in places],
        ),
    ]


def _dora(found: Mapping[str, Measures]) -> list[Family]:
    """One gauge a measure; what cannot be measured has no sample."""
    shown = (
        ("deployment_frequency_per_day", "Deployments to production a day", "per_day"),
        ("change_lead_time_seconds", "Median seconds from a commit to production", "lead_time"),
        ("change_fail_ratio", "Share of deployments that needed an intervention", "fail_rate"),
        ("failed_deployment_recovery_seconds", "Median seconds to recover from a failed one", "recovery_time"),
        ("deployment_rework_ratio", "Share of deployments that were unplanned remedies", "rework_rate"),
    )
    families = []
    for name, text, attribute in shown:
        values = [((window,), getattr(one, attribute)) for window, one in found.items()]
        present = [(labels, float(value)) for labels, value in values if value is not None]
        families.append(Family(f"dora_{name}", "gauge", f"DORA: {text}", ("window",), present))
    return families
