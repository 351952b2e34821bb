"""The way back where the namespace's quota is full of the bad version's pods."""

from __future__ import annotations

from release.environment import Rolling
from release.health import FAILED_CREATE
from release.labels import short_digest
from release.model import Artifact, HelmRelease, Pod, Record, RegionState, Route, SlotState, Workload
from release.recovery import Back, bad_share, step_back
from release.steps import Await, Condemn
from release.strategy import Seen, Want, next_step

GOOD = Artifact("1.4.0", "sha256:" + "a" * 64, "a" * 40)
BAD = Artifact("1.5.0", "sha256:" + "b" * 64, "b" * 40)
LIMITS = Rolling("25%", "25%", timeout=60, ready_within=5, scheduled_within=5, poll=1)
RECORD = Record(GOOD, "blue", 1, "values", "2026-01-05T09:00:00Z", "run")


def test_the_way_back_waits_until_the_bad_pods_no_longer_fill_the_quota() -> None:
    release = HelmRelease("shop-blue", 3, "deployed", GOOD.version, short_digest(GOOD.digest), GOOD.commit, "values")
    pods = tuple(Pod(f"p{number}", GOOD.digest, ready=True, running=True) for number in range(8))
    workload = Workload(GOOD.digest, 10, updated=8, ready=8, total=8, failure="exceeded quota: small")
    blue = SlotState("blue", release, workload, pods)
    state = RegionState("r", blue, SlotState("green"), Route(100, 0, live=RECORD))
    bad = Want(BAD, "values", LIMITS)
    assert step_back(state, Back("r", RECORD, at_once=False), bad, Seen()) == Await("blue", 8, 10)
    forward = next_step(state, Want(GOOD, "values", LIMITS), Seen())
    assert isinstance(forward, Condemn)
    assert forward.why.cause == FAILED_CREATE


def test_the_share_on_the_bad_version_is_that_of_its_slot() -> None:
    release = HelmRelease("shop-green", 1, "deployed", BAD.version, short_digest(BAD.digest), BAD.commit, "values")
    state = RegionState("r", SlotState("blue"), SlotState("green", release), Route(75, 25, live=RECORD))
    bad = Want(BAD, "values", LIMITS)
    assert bad_share(state, bad) == 25
    assert bad_share(RegionState("r", SlotState("blue"), SlotState("green", release)), bad) == 0
    assert bad_share(RegionState("r", SlotState("blue"), SlotState("green"), Route(75, 25, live=RECORD)), bad) == 0
