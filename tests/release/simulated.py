"""A region in miniature: each step of a strategy changes it as a real cluster would, and it can be interrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from release import live, recovery, steps, strategy
from release.environment import Rolling
from release.labels import short_digest
from release.model import SLOTS, Artifact, HelmRelease, Pod, Record, RegionState, Route, Slot, SlotState, Workload
from release.strategy import Seen, Want

LIMITS = Rolling("25%", "25%", timeout=60, ready_within=10, scheduled_within=5, poll=1)
REPLICAS = 10


def artifact(minor: int) -> Artifact:
    return Artifact(f"1.{minor}.0", "sha256:" + f"{minor:x}" * 64, f"{minor:x}" * 40)


def want(minor: int, config: str = "c0", weights: tuple[int, ...] = ()) -> Want:
    return Want(artifact(minor), config, LIMITS, weights, REPLICAS)


CANARY = (10, 25, 50, 100)
BLUE_GREEN = (100,)
DROPPED = 1


@dataclass
class Simulated:
    """`bad` are the minor versions whose pods crash here, `erring` those that the verdict condemns, `unverifiable`
    those that come up but fail their checks. Where it `drops`, a kill meets a verdict that has just taken the canary
    down to a trickle."""

    name: str = "r1"
    bad: frozenset[int] = frozenset()
    erring: frozenset[int] = frozenset()
    unverifiable: frozenset[int] = frozenset()
    drops: bool = False
    state: RegionState = field(init=False)

    def __post_init__(self) -> None:
        self.state = RegionState(self.name, SlotState("blue"), SlotState("green"))

    def act(self, step: steps.Step, wanted: Want) -> bool:
        """Do one step; False when it is a check or a verdict that the version does not pass."""
        before = self.state
        passed = self._act(step, wanted)
        self.check_users(before)
        return passed

    def _act(self, step: steps.Step, wanted: Want) -> bool:
        minor = self._minor(wanted.artifact)
        match step:
            case steps.Unblock(slot):
                release = self.state.slot(slot).release
                assert release is not None
                self._set(slot, release=replace(release, status="superseded", revision=release.revision + 1))
            case steps.Upgrade(slot, replicas):
                self.upgrade(slot, wanted, "deployed", replicas)
            case steps.Await(slot):
                self._settle(slot, wanted.artifact)
            case steps.Route(slot):
                self._route(Route(100, 0) if slot == "blue" else Route(0, 100))
            case steps.Shift(slot, weight):
                self._shift(slot, weight)
            case steps.Retire(slot):
                assert self.state.route is None or self.state.route.weight(slot) == 0, (
                    "a slot with users is never removed"
                )
                self.remove(slot)
            case steps.Judge(slot, weight):
                assert len(wanted.weights) > 1, "only a canary has a verdict"
                if minor in self.erring:
                    return False
                # One that was dropped is back at its first step before it is accepted.
                if weight < wanted.weights[0]:
                    self._shift(slot, wanted.weights[0])
            case steps.Preview() | steps.Verify():
                return minor not in self.unverifiable
            case steps.Remember(slot, revision):
                self._remember(step, Record(wanted.artifact, slot, revision, wanted.config, "", "run"))
            case _:
                raise AssertionError(f"{step} is not acted on")
        return True

    def drop(self, slot: Slot) -> None:
        """The verdict's own step: nearly all users leave a canary that looks bad."""
        before = self.state
        self._shift(slot, DROPPED)
        self.check_users(before)

    def check_users(self, before: RegionState) -> None:
        """Users of either slot meet a Ready pod, unless nobody served them `before`, as after a first release ever
        that was removed."""
        assert before.route is None or self.state.route is not None
        for slot in SLOTS:
            had = before.route is None or before.route.weight(slot) == 0 or _ready(before.slot(slot))
            if self.state.route is not None and self.state.route.weight(slot) > 0 and had:
                assert _ready(self.state.slot(slot)), f"users are never on {slot} without Ready pods"

    def upgrade(self, slot: Slot, wanted: Want, status: str, replicas: int | None = None) -> None:
        """What `helm upgrade` leaves: one new pod beside the old ones; `status` is pending-upgrade when killed."""
        old = self.state.slot(slot)
        revision = (old.release.revision if old.release else 0) + 1
        labels = (wanted.artifact.version, short_digest(wanted.artifact.digest), wanted.artifact.commit, wanted.config)
        self._set(slot, release=HelmRelease(f"shop-{slot}", revision, status, *labels))
        if status != "deployed":
            return
        count = REPLICAS if replicas is None else replicas
        same = [pod for pod in old.pods if pod.ready and pod.digest == wanted.artifact.digest][:count]
        kept = [pod for pod in old.pods if pod.ready and pod.digest != wanted.artifact.digest]
        new = [self._pod(wanted.artifact, ready=False)] if len(same) < count else []
        self._set(
            slot,
            workload=Workload(wanted.artifact.digest, count, updated=len(same) + len(new), ready=len(kept) + len(same)),
            pods=(*kept, *same, *new),
        )

    def remove(self, slot: Slot) -> None:
        """What `helm uninstall` leaves."""
        self._set(slot, release=None, workload=None, pods=())

    def _settle(self, slot: Slot, built: Artifact) -> None:
        here = self.state.slot(slot)
        assert here.workload is not None
        if self._minor(built) in self.bad:
            crashed = replace(self._pod(built, ready=False), waiting="CrashLoopBackOff", exit_code=1, restarts=1)
            others = [pod for pod in here.pods if pod.digest != built.digest]
            self._set(slot, pods=(*others, crashed))
            return
        count = here.workload.replicas
        pods = tuple(replace(self._pod(built, ready=True), name=f"p{n}") for n in range(count))
        self._set(slot, workload=Workload(built.digest, count, updated=count, ready=count), pods=pods)

    def _shift(self, slot: Slot, weight: int) -> None:
        assert self.state.route is not None
        blue = weight if slot == "blue" else 100 - weight
        self._route(replace(self.state.route, blue=blue, green=100 - blue))

    def _remember(self, step: steps.Remember, new: Record) -> None:
        assert self.state.route is not None
        recorded, previous = live.records(self.state.route, new, back=step.back)
        kept = live.retirement(step, "2026-01-01T00:30:00Z")
        self._route(replace(self.state.route, live=recorded, previous=previous, retire=kept))

    def _route(self, route: Route) -> None:
        assert route.blue + route.green == 100
        before = self.state
        self.state = replace(self.state, route=route)
        self.check_users(before)

    def _set(self, slot: Slot, **facts: object) -> None:
        changed = replace(self.state.slot(slot), **facts)  # type: ignore[arg-type]
        self.state = replace(self.state, **{slot: changed})

    @staticmethod
    def _pod(built: Artifact, *, ready: bool) -> Pod:
        return Pod("p", built.digest, f"shop@{built.digest}", ready=ready, running=ready)

    @staticmethod
    def _minor(built: Artifact) -> int:
        return int(built.version.split(".")[1])


def _ready(here: SlotState) -> bool:
    return any(pod.ready for pod in here.pods)


Decide = Callable[[RegionState, Seen], steps.Step]


def follow(region: Simulated, wanted: Want, decide: Decide, stop_after: int) -> str:
    """Run the loop until it ends or is killed after `stop_after` steps: done, condemned or killed."""
    seen = Seen()
    for number in range(stop_after):
        step = decide(region.state, seen)
        if isinstance(step, steps.Judge) and region.drops and number == stop_after - 1:
            region.drop(step.slot)
            break
        _check_judged(region.state, step, wanted, seen)
        if isinstance(step, steps.Done):
            return "done"
        if isinstance(step, steps.Condemn) or not region.act(step, wanted):
            return "condemned"
        match step:
            case steps.Preview():
                seen = replace(seen, previewed=True)
            case steps.Judge(_, weight):
                seen = replace(seen, judged=weight)
            case steps.Verify():
                seen = replace(seen, verified=True)
            case steps.Upgrade() | steps.Shift():
                seen = replace(seen, verified=False)
    return "killed"


def _check_judged(state: RegionState, step: steps.Step, wanted: Want, seen: Seen) -> None:
    """A canary never gets more users than it was judged at, whoever gave it those."""
    if isinstance(step, steps.Shift) and state.route is not None and len(wanted.weights) > 1:
        weight = state.route.weight(step.slot)
        if strategy.asked(state.slot(step.slot), wanted) and 0 < weight < step.weight:
            assert seen.judged >= weight, f"{weight} -> {step.weight} % without a verdict"


def roll(region: Simulated, wanted: Want, *, stop_after: int = 1000) -> str:
    """A release, as `follow`."""
    return follow(region, wanted, lambda state, seen: strategy.next_step(state, wanted, seen), stop_after)


def go_back(region: Simulated, bad: Want, *, stop_after: int = 1000) -> str:
    """A recovery, as `follow`; done where nothing is changed, stuck where a person must decide."""
    found = recovery.ways([region.state], bad)
    if not found:
        return "done"
    (way,) = found
    if isinstance(way, recovery.Stuck):
        return "stuck"
    good = recovery.wanted(way, bad)
    return follow(region, good, lambda state, seen: recovery.step_back(state, way, bad, seen), stop_after)
