"""A release under way as the release board shows it."""

from __future__ import annotations

from dataclasses import dataclass

from release import board_steps, planning
from release.board_regions import Tone
from release.board_seen import Course, Pace, Seen, SeenLock, SeenRun
from release.board_steps import StepView
from release.locking import Held
from release.model import RegionState
from release.steering import Steering, steering
from release.strategy import other

RECOVERING = "recovering: "


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
        steps=board_steps.steps(run, pace, regions, held.since, _had(lock.environment, seen), over=bool(back)),
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


def _had(environment: str, seen: Seen) -> dict[str, int]:
    """Region -> percent of its users who are on another slot than the recorded one. Where nothing is recorded a version
    is rolled out in place, and has no weights."""
    found = {one.region: one.state.route for one in seen.regions if one.environment == environment and one.state}
    return {name: route.weight(other(route.live.slot)) for name, route in found.items() if route and route.live}
