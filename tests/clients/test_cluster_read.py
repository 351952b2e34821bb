"""Pods and Deployments as a kubelet and the controllers leave them, into what is observed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from clients import cluster_read
from release import names, records
from release.errors import Refused
from release.model import Artifact, Record, Route

DIGEST = "sha256:" + "a" * 64
NOW = datetime(2026, 11, 23, 5, 1, 0, tzinfo=UTC).timestamp()


def pod(status: dict[str, Any], *, name: str = "shop-blue-x", slot: str = "blue", **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": "2026-11-23T05:00:00Z",
            "labels": {names.SLOT_LABEL: slot},
            **metadata,
        },
        "spec": {"containers": [{"name": "application", "image": f"127.0.0.1:5000/shop@{DIGEST}"}]},
        "status": status,
    }


def container(state: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"name": "application", "state": state, **more}]


def test_a_ready_pod() -> None:
    seen = cluster_read.pod(
        pod(
            {
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": container({"running": {"startedAt": "2026-11-23T05:00:20Z"}}, restartCount=1),
            }
        ),
        NOW,
    )
    assert (seen.digest, seen.ready, seen.running, seen.restarts) == (DIGEST, True, True, 1)
    assert (seen.running_seconds, seen.age_seconds) == (40.0, 60.0)
    assert not seen.terminating
    assert seen.waiting is None


@pytest.mark.parametrize(
    ("started", "changed", "unready"),
    [("05:00:20", "05:00:55", 5.0), ("05:00:20", "05:00:01", 40.0), ("05:00:20", None, 40.0)],
)
def test_readiness_is_refused_since_it_was_lost_or_since_the_start(
    started: str, changed: str | None, unready: float
) -> None:
    condition = {"type": "Ready", "status": "False"}
    if changed:
        condition["lastTransitionTime"] = f"2026-11-23T{changed}Z"
    running = {"running": {"startedAt": f"2026-11-23T{started}Z"}}
    seen = cluster_read.pod(pod({"conditions": [condition], "containerStatuses": container(running)}), NOW)
    assert (seen.running_seconds, seen.unready_seconds) == (40.0, unready)
    seen = cluster_read.pod(pod({"conditions": [condition]}), NOW)
    assert (seen.running_seconds, seen.unready_seconds) == (0.0, 0.0)


def test_a_pod_whose_image_is_not_there() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
    seen = cluster_read.pod(pod({"containerStatuses": container(waiting)}), NOW)
    assert (seen.waiting, seen.message, seen.running) == ("ImagePullBackOff", "not found", False)
    assert seen.image == f"127.0.0.1:5000/shop@{DIGEST}"


def test_a_pod_that_crashes_tells_the_exit_code_of_its_last_life() -> None:
    statuses = container(
        {"waiting": {"reason": "CrashLoopBackOff"}},
        restartCount=3,
        lastState={"terminated": {"exitCode": 3, "message": "no database"}},
    )
    seen = cluster_read.pod(pod({"containerStatuses": statuses}), NOW)
    assert (seen.waiting, seen.exit_code, seen.restarts, seen.message) == ("CrashLoopBackOff", 3, 3, "no database")


PROBE = {"periodSeconds": 1, "failureThreshold": 60}


@pytest.mark.parametrize(
    ("probe", "began", "ended", "changed", "seconds"),
    [
        (PROBE, "05:00:01", "05:01:06", "05:00:00", 65.0),
        (PROBE, "05:00:01", "05:00:59", "05:00:00", 58.0),
        (PROBE, "05:00:01", "05:01:06", None, 65.0),
        ({}, "05:00:01", "05:00:21", "05:00:00", 20.0),
        ({**PROBE, "initialDelaySeconds": 30}, "05:00:01", "05:01:06", "05:00:00", 0.0),
        # It crashed by itself; it was Ready once; no probe gives it a time.
        (PROBE, "05:00:01", "05:00:21", "05:00:00", 0.0),
        (PROBE, "05:00:01", "05:01:06", "05:00:40", 0.0),
        (None, "05:00:01", "05:01:06", "05:00:00", 0.0),
    ],
)
def test_a_life_that_was_never_ready_as_long_as_the_startup_probe_gives(
    probe: dict[str, Any] | None, began: str, ended: str, changed: str | None, seconds: float
) -> None:
    condition = {"type": "Ready", "status": "False"}
    if changed:
        condition["lastTransitionTime"] = f"2026-11-23T{changed}Z"
    last = {"exitCode": 137, "startedAt": f"2026-11-23T{began}Z", "finishedAt": f"2026-11-23T{ended}Z"}
    statuses = container({"running": {"startedAt": "2026-11-23T05:01:07Z"}}, lastState={"terminated": last})
    seen = pod({"conditions": [condition], "containerStatuses": statuses})
    if probe is not None:
        seen["spec"]["containers"][0]["startupProbe"] = probe
    assert cluster_read.pod(seen, NOW).failed_start == seconds
    condition["status"] = "True"
    assert cluster_read.pod(seen, NOW).failed_start == 0.0


def test_a_pod_that_finds_no_node() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
    assert cluster_read.pod(pod({"conditions": [condition]}), NOW).unschedulable == "0/1 nodes"


def test_a_pod_that_is_ending() -> None:
    assert cluster_read.pod(pod({}, deletionTimestamp="2026-11-23T05:00:30Z"), NOW).terminating


def test_a_pod_without_any_status_yet() -> None:
    seen = cluster_read.pod(pod({}), NOW)
    assert (seen.ready, seen.running, seen.running_seconds) == (False, False, 0.0)


def test_a_deployment_that_its_controller_has_not_seen() -> None:
    spec = {"replicas": 3, "template": {"spec": {"containers": [{"image": f"x@{DIGEST}"}]}}}
    seen = cluster_read.workload(
        {"metadata": {"generation": 2}, "spec": spec, "status": {"observedGeneration": 1, "readyReplicas": 3}}
    )
    assert (seen.observed, seen.replicas, seen.ready, seen.updated) == (False, 3, 3, 0)


def test_a_deployment_over_quota_says_so() -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    spec = {"replicas": 3, "template": {"spec": {"containers": [{"image": "x:tag"}]}}}
    seen = cluster_read.workload({"metadata": {}, "spec": spec, "status": {"conditions": [condition]}})
    assert (seen.failure, seen.digest) == ("exceeded quota", None)


def helm_secret(revision: int, status: str, name: str = "shop-blue") -> dict[str, Any]:
    return {"metadata": {"labels": {"owner": "helm", "name": name, "version": str(revision), "status": status}}}


def test_the_newest_revision_counts_by_number_not_by_text() -> None:
    state = cluster_read.region_state(
        "shop",
        "us-east-1",
        pods=[pod({}, name="b"), pod({}, name="a"), pod({}, name="c", slot="green")],
        deployments=[],
        releases=[helm_secret(9, "superseded"), helm_secret(10, "pending-upgrade"), helm_secret(2, "superseded")],
        route=None,
        now=NOW,
    )
    assert state.blue.release is not None
    assert (state.blue.release.revision, state.blue.release.status) == (10, "pending-upgrade")
    assert [one.name for one in state.blue.pods] == ["a", "b"]
    assert [one.name for one in state.green.pods] == ["c"]
    assert (state.green.release, state.blue.workload, state.route) == (None, None, None)


def route(annotations: dict[str, str]) -> dict[str, Any]:
    backends = [{"name": "shop-green", "weight": 90}, {"name": "shop-blue", "weight": 10}]
    return {"metadata": {"annotations": annotations}, "spec": {"rules": [{"backendRefs": backends}]}}


def test_the_route_is_read_by_name_with_its_records() -> None:
    live = Record(Artifact("1.4.0", DIGEST, "c" * 40), "green", 2, "abc", "2026-11-23T05:00:00+00:00", "run")
    seen = cluster_read.split("shop", route({names.LIVE: records.to_text(live)}))
    assert seen == Route(blue=10, green=90, live=live, previous=None)


def test_a_spoilt_record_is_refused_by_the_annotations_name() -> None:
    with pytest.raises(Refused, match=names.PREVIOUS):
        cluster_read.split("shop", route({names.PREVIOUS: "oops"}))


def test_a_workload_is_to_have_what_its_autoscaler_will_give_it() -> None:
    template = {"spec": {"containers": [{"image": "x:tag"}]}}
    deployment = {"metadata": {"name": "shop-blue"}, "spec": {"replicas": 1, "template": template}}
    scaler = {"spec": {"scaleTargetRef": {"name": "shop-blue"}, "minReplicas": 5}}
    state = cluster_read.region_state(
        "shop", "r", pods=(), deployments=[deployment], scalers=[scaler], releases=(), route=None, now=0.0
    )
    assert state.blue.workload is not None
    assert state.blue.workload.replicas == 5


def service(selector: dict[str, str], annotations: dict[str, str], manager: str = "tidegate") -> dict[str, Any]:
    labels = {names.MANAGED_LABEL: manager}
    return {
        "kind": "Service",
        "metadata": {"labels": labels, "annotations": annotations},
        "spec": {"selector": selector},
    }


@pytest.mark.parametrize(("slot", "weights"), [("blue", (100, 0)), ("green", (0, 100)), ("purple", (0, 0))])
def test_a_service_gives_the_slot_that_it_selects_all_users(slot: str, weights: tuple[int, int]) -> None:
    live = Record(Artifact("1.4.0", DIGEST, "c" * 40), "green", 2, "abc", "2026-11-23T05:00:00+00:00", "run")
    found = service({"app.kubernetes.io/name": "shop", names.SLOT_LABEL: slot}, {names.LIVE: records.to_text(live)})
    assert cluster_read.split("shop", found) == Route(*weights, live=live)


def test_a_service_that_somebody_else_manages_is_not_the_switch() -> None:
    assert cluster_read.ours(service({}, {}))
    assert not cluster_read.ours(service({}, {}, manager="Helm"))
    assert not cluster_read.ours({"kind": "Service", "metadata": {}, "spec": {}})
    assert cluster_read.ours({"kind": "HTTPRoute", "metadata": {}, "spec": {}})
