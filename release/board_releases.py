"""A release under way as the release board shows it: its steps with the time they took and should take."""

from __future__ import annotations

from dataclasses import dataclass

from release import planning
from release.board_regions import Tone
from release.board_seen import Course, Pace, Seen, SeenLock, SeenPart, SeenRun, Stage
from release.locking import Held
from release.model import RegionState
from release.steering import Steering, steering

RECOVERING = "recovering: "
# What each pipeline does before it wins the lock.
_BEFORE_LOCK = {
    "development": "tests and build",
    "staging": "tests and build",
    "production": "checks and approvals",
    "hotfix": "tests, build and approvals",
}


@dataclass(frozen=True, slots=True)
class StepView:
    """A step. `began` is when it did, `spent` its seconds once it is over, `expected` those of past releases."""

    name: str
    stage: Stage
    began: float | None = None
    spent: float | None = None
    expected: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """Whoever holds an environment's lock. `back` is the reason it is taken back for; `expected` its whole seconds.

    `split` are the environment's regions that have users on two versions.
    """

    run: str
    environment: str
    what: str
    who: str
    since: float
    tone: Tone
    state: str
    strategy: str = ""
    expected: float | None = None
    steps: tuple[StepView, ...] = ()
    orders: tuple[str, ...] = ()
    held: bool = False
    promoted: bool = False
    aborted: bool = False
    lapsed: bool = False
    back: str = ""
    courses: tuple[Course, ...] = ()
    split: tuple[str, ...] = ()
    url: str = ""


def view(lock: SeenLock, held: Held, seen: Seen) -> ReleaseView:
    """The release that holds a lock."""
    holder, orders = held.holder, steering(held.orders)
    run = seen.runs.get(holder.run) or SeenRun(holder.run)
    pace = seen.paces.get(holder.run) or Pace()
    back = holder.note.removeprefix(RECOVERING) if holder.note.startswith(RECOVERING) else ""
    lapsed = lock.now >= held.lapses
    tone, state = _state(orders, back, lapsed)
    regions = tuple(one for wave in run.waves for one in wave)
    regions = regions or tuple(dict.fromkeys(one.region for one in run.parts if one.region))
    return ReleaseView(
        run=holder.run,
        environment=lock.environment,
        what=holder.what,
        who=holder.who,
        since=held.since,
        tone=tone,
        state=state,
        strategy=run.strategy,
        expected=planning.expected(run.waves or (regions,), pace.regions, pace.around),
        steps=tuple(_steps(run, pace, regions, held.since, over=bool(back))),
        orders=tuple(f"{one.what} by {one.who}{': ' + one.reason if one.reason else ''}" for one in held.orders),
        held=orders.held is not None,
        promoted=orders.promoted is not None,
        aborted=orders.aborted is not None,
        lapsed=lapsed,
        back=back,
        courses=tuple(one for one in seen.courses if one.run == holder.run),
        split=tuple(one.region for one in seen.regions if one.environment == lock.environment and _split(one.state)),
        url=run.url,
    )


def _state(orders: Steering, back: str, lapsed: bool) -> tuple[Tone, str]:
    if lapsed:
        return "bad", "its run is dead: start it again to go on, or `tidegate unlock`"
    if back:
        return "bad", f"is being taken back: {back}"
    if orders.aborted is not None:
        return "warn", f"aborted by {orders.aborted.who}: {orders.aborted.reason}"
    if orders.held is not None:
        reason = f": {orders.held.reason}" if orders.held.reason else ""
        return "warn", f"held by {orders.held.who}{reason}"
    return "busy", "under way"


def _split(state: RegionState | None) -> bool:
    return state is not None and state.route is not None and 0 < state.route.blue < 100


def _steps(run: SeenRun, pace: Pace, regions: tuple[str, ...], won: float, *, over: bool) -> list[StepView]:
    """What is before the regions, each region, and the way back where there is one. The lock was won at `won`."""
    parts = {part.region: part for part in run.parts}
    steps = _before(run, pace, won)
    for name in regions:
        part = parts.get(name)
        if part is None:
            # Once it is taken back, a region that was not begun will not be.
            if not over:
                steps.append(StepView(name, "waiting", expected=pace.regions.get(name)))
            continue
        steps.append(_step(name, part, pace.regions.get(name)))
    if "" in parts:
        steps.append(_step("taking it back", parts[""], pace.back or None))
    return steps


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
