"""A release's steps as the release board shows them, with the time they took and should take: what comes before the
regions, each region, the weights of a canary in it, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from release import shifts
from release.board_seen import Pace, SeenPart, SeenRun, Stage

# What each pipeline does before it wins the lock.
_BEFORE_LOCK = {
    "development": "tests and build",
    "staging": "tests and build",
    "production": "checks and approvals",
    "hotfix": "tests, build and approvals",
}


@dataclass(frozen=True, slots=True)
class StepView:
    """A step. `began` is when it did, `spent` its seconds once it is over, `expected` those of past releases, or with
    `least` those that it lasts at least. `within` is the region whose canary's weight it is, empty for none."""

    name: str
    stage: Stage
    began: float | None = None
    spent: float | None = None
    expected: float | None = None
    detail: str = ""
    within: str = ""
    least: bool = False


def steps(
    run: SeenRun, pace: Pace, regions: tuple[str, ...], won: float, had: Mapping[str, int], *, over: bool
) -> tuple[StepView, ...]:
    """All of them. The lock was won at `won`; `had` is the percent of users that a canary has now in each region that
    can have one, and `over` says that the release is taken back."""
    parts = {part.region: part for part in run.parts}
    found = _before(run, pace, won)
    for name in regions:
        part = parts.get(name)
        if part is None:
            # Once it is taken back, a region that was not begun will not be.
            if not over:
                found.append(StepView(name, "waiting", expected=pace.regions.get(name)))
            continue
        found.append(_step(name, part, pace.regions.get(name)))
        if part.stage in ("running", "failed") and name in had:
            found += _weights(run, part, pace, had[name], to_come=part.stage == "running" and not over)
    if "" in parts:
        found.append(_step("taking it back", parts[""], pace.back or None))
    return tuple(found)


def _before(run: SeenRun, pace: Pace, won: float) -> list[StepView]:
    """What came before the lock, and from there to the first region."""
    if not run.began:
        return []
    first = min((part.began for part in run.parts if part.began is not None), default=None)
    # A run that was started again found its regions begun.
    won = max(run.began, won if first is None else min(won, first))
    name = _BEFORE_LOCK.get(run.pipeline, "checks")
    spent = None if first is None else first - won
    stage: Stage = "running" if first is None else "done"
    return [
        StepView(name, "done", run.began, won - run.began, pace.before or None),
        StepView("preparation", stage, won, spent, pace.prepared or None),
    ]


def _step(name: str, part: SeenPart, expected: float | None) -> StepView:
    spent = part.ended - part.began if part.ended is not None and part.began is not None else None
    return StepView(name, part.stage, part.began, spent, expected, part.line)


def _weights(run: SeenRun, part: SeenPart, pace: Pace, had: int, *, to_come: bool) -> list[StepView]:
    """The weights that a region's canary had, the one that it has or failed at, and those `to_come`."""
    began = shifts.reached(part.shifts, run.weights)
    took = shifts.took(began, part.ended or 0.0)
    # The cluster knows sooner, and of what a run before this one did; only since when it does not know.
    at = max([*began, *(weight for weight in run.weights if weight <= had)], default=0)
    found = []
    for weight in run.weights:
        if weight > at and not to_come:
            break
        stage: Stage = "waiting" if weight > at else part.stage if weight == at else "done"
        over = weight < max(began, default=0) or (weight == at and part.ended is not None)
        known = pace.weights.get((part.region, weight))
        least = run.least if known is None and weight < 100 else 0.0
        found.append(
            StepView(
                f"{weight} %",
                stage,
                began.get(weight),
                took.get(weight) if over else None,
                known or least or None,
                _dropped(part, weight) if stage == "running" and weight in began else "",
                part.region,
                least=bool(least),
            )
        )
    return found


def _dropped(part: SeenPart, weight: int) -> str:
    now = max(part.shifts, key=lambda one: one.at, default=None)
    return "" if now is None or now.weight >= weight else f"dropped to {now.weight} % while it is under suspicion"
