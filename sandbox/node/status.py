"""A pod's status as a kubelet would write it, from the states of its containers: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Phase = Literal["Pending", "Running", "Succeeded", "Failed"]
OURS = ("PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready")


@dataclass(slots=True)
class ContainerState:
    """One container. `state` and `last` are Kubernetes' own: {"waiting"|"running"|"terminated": {...}}."""

    name: str
    image: str
    state: dict[str, dict[str, Any]]
    last: dict[str, dict[str, Any]] | None = None
    image_id: str = ""
    container_id: str = ""
    restarts: int = 0
    started: bool = False
    ready: bool = False
    final: bool = False

    @property
    def exit_code(self) -> int | None:
        """The code of a container that has ended, else None."""
        ended = self.state.get("terminated")
        return int(ended["exitCode"]) if ended else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pod runs: its own address, its node's, and when it was accepted (RFC 3339)."""

    address: str
    host: str
    since: str


def waiting(reason: str, message: str = "") -> dict[str, dict[str, Any]]:
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def terminated(code: int, started: str, finished: str, container_id: str, message: str = "") -> dict[str, Any]:
    """An ended container's state; kubelet's reason is Completed for 0, Error otherwise."""
    ended = {
        "exitCode": code,
        "reason": "Error" if code else "Completed",
        "startedAt": started,
        "finishedAt": finished,
        "containerID": container_id,
    }
    return {"terminated": ended | ({"message": message} if message else {})}


def phase(init: Sequence[ContainerState], main: Sequence[ContainerState]) -> Phase:
    """Pending until all have started once; Succeeded or Failed when none will run again."""
    if any(one.final and one.exit_code for one in init):
        return "Failed"
    if main and all(one.final for one in main):
        return "Failed" if any(one.exit_code for one in main) else "Succeeded"
    begun = all("waiting" not in one.state or one.last for one in main)
    return "Running" if begun else "Pending"


def pod_status(
    pod: Mapping[str, Any],
    init: Sequence[ContainerState],
    main: Sequence[ContainerState],
    place: Place,
    now: str,
) -> dict[str, Any]:
    """The status to write for a bound pod, as a JSON merge patch; `now` dates conditions that changed."""
    where = place.address if any(one.container_id for one in (*init, *main)) else None
    status: dict[str, Any] = {
        "phase": phase(init, main),
        "hostIP": place.host,
        "hostIPs": [{"ip": place.host}],
        "startTime": place.since,
        "conditions": _conditions(pod, init, main, now, bool(where)),
        "containerStatuses": [_container(one) for one in main],
    }
    if where:
        status |= {"podIP": where, "podIPs": [{"ip": where}]}
    if init:
        status["initContainerStatuses"] = [_container(one) for one in init]
    return status


def unscheduled(pod: Mapping[str, Any], message: str, now: str) -> dict[str, Any]:
    """The status of a pod that no node has room for."""
    wrong = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {"conditions": _merged(pod, [wrong], now)}


def is_ready(status: Mapping[str, Any]) -> bool:
    """Whether the status says Ready."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ())


def _container(one: ContainerState) -> dict[str, Any]:
    return {
        "name": one.name,
        "image": one.image,
        "imageID": one.image_id,
        "containerID": one.container_id or None,
        "state": one.state,
        "lastState": one.last or {},
        "restartCount": one.restarts,
        "started": one.started,
        "ready": one.ready,
    }


def _conditions(
    pod: Mapping[str, Any],
    init: Iterable[ContainerState],
    main: Sequence[ContainerState],
    now: str,
    sandboxed: bool,
) -> list[dict[str, Any]]:
    todo = [one.name for one in init if one.exit_code != 0]
    begun = _condition("Initialized", todo, "ContainersNotInitialized", "containers with incomplete status")
    over = phase((), main) == "Succeeded"
    unready = [one.name for one in main if not one.ready]
    reason, text = ("PodCompleted", "") if over else ("ContainersNotReady", "containers with unready status")
    new = [
        {"type": "PodScheduled", "status": "True"},
        {"type": "PodReadyToStartContainers", "status": "True" if sandboxed else "False"},
        begun,
        _condition("ContainersReady", unready, reason, text),
        _condition("Ready", unready, reason, text),
    ]
    return _merged(pod, new, now)


def _condition(kind: str, missing: Sequence[str], reason: str, text: str) -> dict[str, Any]:
    if not missing:
        return {"type": kind, "status": "True"}
    wrong = {"type": kind, "status": "False", "reason": reason}
    return wrong | ({"message": f"{text}: [{' '.join(missing)}]"} if text else {})


def _merged(pod: Mapping[str, Any], new: list[dict[str, Any]], now: str) -> list[dict[str, Any]]:
    """`new` with the times of unchanged ones kept, then the conditions that others wrote."""
    old = {one["type"]: one for one in (pod.get("status") or {}).get("conditions") or ()}
    for one in new:
        before = old.pop(one["type"], None)
        same = before is not None and before["status"] == one["status"]
        one["lastTransitionTime"] = before["lastTransitionTime"] if same and before else now
    return new + [one for one in old.values() if one["type"] not in OURS]
