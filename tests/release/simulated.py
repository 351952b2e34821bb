"""A region in miniature: each step of a strategy changes it as a real cluster would, and it can be interrupted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from release import strategy
from release.environment import Rolling
from release.labels import short_digest
from release.model import Artifact, HelmRelease, Pod, Record, RegionState, Route, SlotState, Workload
from release.strategy import Want

LIMITS = Rolling("25%", "25%", timeout=60, ready_within=10, scheduled_within=5, poll=1)
REPLICAS = 2


def artifact(minor: int) -> Artifact:
    return Artifact(f"1.{minor}.0", "sha256:" + f"{minor:x}" * 64, f"{minor:x}" * 40)


def want(minor: int, config: str = "c0") -> Want:
    return Want(artifact(minor), config, LIMITS)


@dataclass
class Simulated:
    """`bad` are the minor versions whose pods crash here; `unverifiable` come up, but fail their checks."""

    name: str = "r1"
    bad: frozenset[int] = frozenset()
    unverifiable: frozenset[int] = frozenset()
    state: RegionState = field(init=False)

    def __post_init__(self) -> None:
        self.state = RegionState(self.name, SlotState("blue"), SlotState("green"))

    def act(self, step: strategy.Step, wanted: Want) -> bool:
        """Do one step; False when it is the check of a version that does not pass."""
        blue = self.state.blue
        match step:
            case strategy.Unblock():
                assert blue.release is not None
                self._blue(release=replace(blue.release, status="superseded", revision=blue.release.revision + 1))
            case strategy.Upgrade():
                self.upgrade(wanted, "deployed")
            case strategy.Await():
                self._settle(wanted.artifact)
            case strategy.Route():
                self.state = replace(self.state, route=Route(100, 0))
            case strategy.Verify():
                return self._minor(wanted.artifact) not in self.unverifiable
            case strategy.Remember(slot, revision):
                new = Record(wanted.artifact, slot, revision, wanted.config, "2026-01-01T00:00:00Z", "run")
                live, previous = strategy.records(self.state.route, new)
                assert self.state.route is not None
                self.state = replace(self.state, route=replace(self.state.route, live=live, previous=previous))
            case _:
                raise AssertionError(f"{step} is not acted on")
        return True

    def upgrade(self, wanted: Want, status: str) -> None:
        """What `helm upgrade` leaves: one new pod beside the old ones; `status` pending-upgrade when killed."""
        old = self.state.blue
        revision = (old.release.revision if old.release else 0) + 1
        labels = (wanted.artifact.version, short_digest(wanted.artifact.digest), wanted.artifact.commit, wanted.config)
        self._blue(release=HelmRelease("shop-blue", revision, status, *labels))
        if status != "deployed":
            return
        kept = [pod for pod in old.pods if pod.ready and pod.digest != wanted.artifact.digest]
        self._blue(
            workload=Workload(wanted.artifact.digest, REPLICAS, updated=1, ready=len(kept)),
            pods=(*kept, self._pod(wanted.artifact, ready=False)),
        )

    def _settle(self, built: Artifact) -> None:
        if self._minor(built) in self.bad:
            crashed = replace(self._pod(built, ready=False), waiting="CrashLoopBackOff", exit_code=1, restarts=1)
            others = [pod for pod in self.state.blue.pods if pod.digest != built.digest]
            self._blue(pods=(*others, crashed))
            return
        pods = tuple(replace(self._pod(built, ready=True), name=f"p{n}") for n in range(REPLICAS))
        self._blue(workload=Workload(built.digest, REPLICAS, updated=REPLICAS, ready=REPLICAS), pods=pods)

    def _blue(self, **facts: object) -> None:
        self.state = replace(self.state, blue=replace(self.state.blue, **facts))  # type: ignore[arg-type]

    @staticmethod
    def _pod(built: Artifact, *, ready: bool) -> Pod:
        return Pod("p", built.digest, f"shop@{built.digest}", ready=ready, running=ready)

    @staticmethod
    def _minor(built: Artifact) -> int:
        return int(built.version.split(".")[1])


def roll(region: Simulated, wanted: Want, *, stop_after: int = 1000) -> str:
    """Run the loop until it ends or is killed after `stop_after` steps: done, condemned or killed."""
    verified = False
    for _ in range(stop_after):
        step = strategy.rolling(region.state, wanted, verified=verified)
        if isinstance(step, strategy.Done):
            return "done"
        if isinstance(step, strategy.Condemn) or not region.act(step, wanted):
            return "condemned"
        verified = isinstance(step, strategy.Verify) or (verified and not isinstance(step, strategy.Upgrade))
    return "killed"
