from __future__ import annotations

from typing import Any

from release import records
from release.model import Artifact, Record
from sandbox.overlay import RegionAddress
from sandbox.page import picture

DIGEST = "sha256:" + "a" * 64
PLACES = tuple(RegionAddress("production", name, f"production-{name}", name, "http://x", {}) for name in ("one", "two"))


def labels(slot: str, version: str) -> dict[str, str]:
    return {"tidegate.dev/slot": slot, "app.kubernetes.io/version": version}


def deployment(namespace: str, slot: str, version: str, desired: int, ready: int) -> dict[str, Any]:
    containers = [{"name": "application", "image": f"127.0.0.1:5000/shop@{DIGEST}"}]
    return {
        "metadata": {"namespace": namespace, "name": f"shop-{slot}", "labels": labels(slot, version)},
        "spec": {"replicas": desired, "template": {"spec": {"containers": containers}}},
        "status": {"readyReplicas": ready, "updatedReplicas": desired},
    }


def pod(namespace: str, slot: str, version: str, waiting: str | None = None) -> dict[str, Any]:
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    return {
        "metadata": {"namespace": namespace, "name": "pod", "labels": labels(slot, version)},
        "status": {"containerStatuses": [{"state": state}]},
    }


def route(namespace: str, blue: int, green: int, live: str) -> dict[str, Any]:
    record = records.to_text(
        Record(Artifact(live, DIGEST, "c" * 40), "blue", 3, "0" * 12, "2026-01-05T09:00:00Z", "run")
    )
    backends = [{"name": "shop-blue", "weight": blue}, {"name": "shop-green", "weight": green}]
    return {
        "metadata": {"namespace": namespace, "name": "shop", "annotations": {"tidegate.dev/live": record}},
        "spec": {"rules": [{"backendRefs": backends}]},
    }


def test_an_empty_region_has_neither_route_nor_slots() -> None:
    one, two = picture.regions(PLACES, [], [], [])
    assert (one["name"], one["route"], one["slots"]) == ("one", None, {"blue": None, "green": None})
    assert two["environment"] == "production"


def test_a_region_without_routes_shows_whom_its_service_selects() -> None:
    service = route("one", 0, 0, "1.4.0")
    service["spec"] = {"selector": {"tidegate.dev/slot": "green"}}
    one, two = picture.regions(PLACES, [], [service, {**service, "metadata": {"namespace": "two", "name": "shop"}}], [])
    assert one["route"] == {"weights": {"blue": 0, "green": 100}, "live": "1.4.0"}
    assert two["route"] == {"weights": {"blue": 0, "green": 100}, "live": None}


def test_a_region_shows_its_own_weights_versions_and_problems() -> None:
    deployments = [deployment("one", "blue", "1.5.0", 3, 2), deployment("two", "green", "1.4.0", 1, 1)]
    pods = [pod("one", "blue", "1.4.0"), pod("one", "blue", "1.5.0", "CrashLoopBackOff"), pod("two", "green", "1.4.0")]
    preview = route("one", 0, 100, "9.9.9")
    preview["metadata"]["name"] = "shop-preview-green"
    one, two = picture.regions(PLACES, deployments, [preview, route("one", 100, 0, "1.4.0")], pods)
    assert one["route"] == {"weights": {"blue": 100, "green": 0}, "live": "1.4.0"}
    blue = one["slots"]["blue"]
    assert (blue["version"], blue["digest"], blue["desired"], blue["ready"]) == ("1.5.0", DIGEST, 3, 2)
    assert blue["pods"] == {"1.4.0": 1, "1.5.0": 1}
    assert blue["problems"] == {"CrashLoopBackOff": 1}
    assert one["slots"]["green"] is None
    assert two["route"] is None
    assert two["slots"]["green"]["version"] == "1.4.0"


def test_a_record_that_cannot_be_read_is_no_record() -> None:
    broken = route("one", 100, 0, "1.4.0")
    broken["metadata"]["annotations"]["tidegate.dev/live"] = "{"
    (one, _) = picture.regions(PLACES, [], [broken], [])
    assert one["route"] == {"weights": {"blue": 100, "green": 0}, "live": None}
