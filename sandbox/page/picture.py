"""What the API server holds, as the page shows it: one entry a region, with both slots. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from release import names
from release.model import SLOTS, Slot
from sandbox.overlay import RegionAddress

Object = Mapping[str, Any]


def regions(
    addresses: Sequence[RegionAddress], deployments: Iterable[Object], routes: Iterable[Object], pods: Iterable[Object]
) -> list[dict[str, Any]]:
    """Each region's slots, weights and pods; a region without a route has no `route`. Public Services come before
    routes, which win over them as they do at the gateway."""
    by_slot = {(_namespace(each), _slot(each)): each for each in deployments}
    by_route = {(_namespace(each), each["metadata"]["name"]): each for each in routes}
    by_pod: dict[tuple[str, str], list[Object]] = {}
    for pod in pods:
        by_pod.setdefault((_namespace(pod), _slot(pod)), []).append(pod)
    return [
        {
            "name": at.name,
            "environment": at.environment,
            "address": at.address,
            "route": route(_route_of(at.namespace, by_route)),
            "slots": {
                slot: _slot_state(by_slot.get((at.namespace, slot)), by_pod.get((at.namespace, slot), []))
                for slot in SLOTS
            },
        }
        for at in addresses
    ]


def route(found: Object | None) -> dict[str, Any] | None:
    """The split: weights of blue and green, and the version that went live last."""
    if found is None:
        return None
    live = _record(found, names.LIVE)
    return {
        "weights": {slot: _weight(found, slot) for slot in SLOTS},
        "live": live.get("version") if live else None,
    }


def _route_of(namespace: str, routes: Mapping[tuple[str, str], Object]) -> Object | None:
    for (place, name), found in routes.items():
        if place == namespace and "-preview-" not in name:
            return found
    return None


def _slot_state(deployment: Object | None, pods: Sequence[Object]) -> dict[str, Any] | None:
    if deployment is None and not pods:
        return None
    spec = deployment["spec"] if deployment else {}
    status = deployment.get("status", {}) if deployment else {}
    versions = Counter(_version(pod) for pod in pods if "deletionTimestamp" not in pod["metadata"])
    problems = Counter(problem for pod in pods if (problem := _problem(pod)))
    return {
        "version": _version(deployment) if deployment else "",
        "digest": _digest(deployment) if deployment else "",
        "desired": spec.get("replicas", 0),
        "ready": status.get("readyReplicas", 0),
        "updated": status.get("updatedReplicas", 0),
        "pods": dict(sorted(versions.items())),
        "problems": dict(problems),
    }


def _weight(found: Object, slot: Slot) -> int:
    if selector := found["spec"].get("selector"):
        return 100 if selector.get(names.SLOT_LABEL) == slot else 0
    # The first rule splits the users; the others are for testers who name a slot.
    split = (found["spec"].get("rules") or [{}])[0]
    backends = split.get("backendRefs", [])
    return sum(int(b.get("weight", 1)) for b in backends if str(b["name"]).endswith(f"-{slot}"))


def _record(found: Object, annotation: str) -> Mapping[str, Any] | None:
    try:
        record = json.loads(found["metadata"].get("annotations", {})[annotation])
    except (KeyError, json.JSONDecodeError):
        return None
    return record if isinstance(record, dict) else None


def _problem(pod: Object) -> str:
    for status in pod.get("status", {}).get("containerStatuses", []):
        waiting = status.get("state", {}).get("waiting", {}).get("reason", "")
        if waiting and waiting != "ContainerCreating":
            return str(waiting)
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return str(condition.get("reason", "Unschedulable"))
    return ""


def _namespace(found: Object) -> str:
    return str(found["metadata"]["namespace"])


def _slot(found: Object) -> str:
    return str(found["metadata"].get("labels", {}).get(names.SLOT_LABEL, ""))


def _version(found: Object) -> str:
    return str(found["metadata"].get("labels", {}).get("app.kubernetes.io/version", ""))


def _digest(deployment: Object) -> str:
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return str(containers[0]["image"]).partition("@")[2] if containers else ""
