from __future__ import annotations

from dataclasses import replace

import pytest
from simulated import LIMITS, artifact

from release import health
from release.model import Pod, SlotState, Workload

DIGEST = artifact(5).digest
POD = Pod("shop-blue-1", DIGEST, f"registry/shop@{DIGEST}", running=True)


def of(*pods: Pod, workload: Workload | None = None) -> health.Health:
    found = workload or Workload(DIGEST, 2, updated=2)
    return health.of_slot(SlotState("blue", workload=found, pods=pods), DIGEST, LIMITS)


@pytest.mark.parametrize(
    ("pod", "cause", "says"),
    [
        (replace(POD, waiting="ImagePullBackOff", message="not found"), "ImagePullBackOff", "registry/shop@sha256:5"),
        (replace(POD, waiting="CrashLoopBackOff", exit_code=3, restarts=1), "CrashLoopBackOff", "exit code 3"),
        (replace(POD, restarts=2, exit_code=137), "CrashLoopBackOff", "exit code 137 and was restarted 2 times"),
        (replace(POD, waiting="CreateContainerConfigError", message="no key"), "CreateContainerConfigError", "no key"),
        (replace(POD, unschedulable="0/4 nodes", age_seconds=6.0), "Unschedulable", "0/4 nodes"),
        (replace(POD, unready_seconds=11.0, message="503"), "NotReady", "refuses readiness for 11 s. 503"),
        (replace(POD, failed_start=65.0, restarts=1), "NotReady", "was never ready in 65 s"),
        (replace(POD, failed_start=65.0, restarts=0, running=False), "NotReady", "was restarted once"),
    ],
)
def test_a_pods_own_failure_is_the_reason(pod: Pod, cause: str, says: str) -> None:
    found = of(pod)
    assert isinstance(found, health.Bad)
    assert found.cause == cause
    assert says in found.detail


@pytest.mark.parametrize(
    "pod",
    [
        replace(POD, waiting="ContainerCreating", running=False),
        replace(POD, waiting="ErrImagePull", running=False),
        replace(POD, unready_seconds=10.9),
        replace(POD, running_seconds=90_000.0, unready_seconds=1.0),
        replace(POD, unschedulable="0/4 nodes", age_seconds=5.9),
        replace(POD, waiting="CrashLoopBackOff", terminating=True),
        replace(POD, waiting="CrashLoopBackOff", digest=artifact(4).digest),
        replace(POD, restarts=1, ready=True),
        replace(POD, restarts=1, failed_start=65.0, ready=True),
        replace(POD, restarts=2, ready=True, age_seconds=20.0),
        # Ended twice weeks ago; ended twice when it was deployed; ended just now, for the third time in three weeks.
        replace(POD, restarts=2, running_seconds=1_000_000.0, unready_seconds=1.0, age_seconds=2_000_000.0),
        replace(POD, restarts=2, running_seconds=900.0, unready_seconds=1.0, age_seconds=1000.0),
        replace(POD, restarts=3, running_seconds=1.0, unready_seconds=1.0, age_seconds=2_000_000.0),
    ],
)
def test_what_may_still_come_is_not_condemned(pod: Pod) -> None:
    assert isinstance(of(pod), health.Coming)


def test_a_quota_is_told_as_such() -> None:
    found = of(workload=Workload(DIGEST, 2, failure='pods "x" is forbidden: exceeded quota: small, requested: cpu=2'))
    assert isinstance(found, health.Bad)
    assert found.cause == "FailedCreate"
    assert "exceeds the namespace's quota" in found.detail
    assert "requested: cpu=2" in found.detail


def test_up_means_every_pod_ready_and_no_other_version_running() -> None:
    ready = replace(POD, ready=True)
    assert of(ready, ready) == health.Up(2)
    assert of(ready) == health.Coming(1, 2)
    assert of(ready, ready, replace(ready, digest=artifact(4).digest)) == health.Coming(2, 2)
    assert of(ready, ready, workload=Workload(DIGEST, 2, updated=2, observed=False)) == health.Coming(2, 2)
    assert of(ready, replace(ready, restarts=2, exit_code=137)) == health.Up(2)
    leaving = replace(ready, digest=artifact(4).digest, terminating=True)
    assert of(ready, ready, leaving) == health.Up(2)


def test_only_ready_pods_prove_a_digest() -> None:
    pods = [replace(POD, ready=True), replace(POD, digest="sha256:other"), replace(POD, ready=True, terminating=True)]
    assert health.ready_digests(pods) == {DIGEST}


def test_what_serves_is_ready_and_not_ending() -> None:
    pods = [replace(POD, name="new", ready=True), replace(POD, name="old", ready=True, terminating=True)]
    assert health.ready_names([*pods, replace(POD, name="coming")]) == {"new"}
