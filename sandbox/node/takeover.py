"""What a pod's containers were doing before the node was there: read back from the pod's status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sandbox.node.status import ContainerState, waiting

_KINDS = {
    "initContainers": ("initContainerStatuses", "PodInitializing"),
    "containers": ("containerStatuses", "ContainerCreating"),
}


def states_of(pod: Mapping[str, Any], kind: Literal["initContainers", "containers"]) -> list[ContainerState]:
    """The containers' states as the API server remembers them; waiting for those it knows nothing of."""
    field, reason = _KINDS[kind]
    before = {one["name"]: one for one in (pod.get("status") or {}).get(field) or ()}
    again = kind == "containers" and pod["spec"].get("restartPolicy", "Always") == "Always"
    specs = pod["spec"].get(kind) or ()
    return [_state(spec, before.get(spec["name"]), reason, again=again) for spec in specs]


def _state(spec: Mapping[str, Any], before: Mapping[str, Any] | None, reason: str, *, again: bool) -> ContainerState:
    if before is None:
        return ContainerState(spec["name"], spec["image"], waiting(reason))
    state = before.get("state") or waiting(reason)
    return ContainerState(
        name=spec["name"],
        image=spec["image"],
        state=state,
        last=before.get("lastState") or None,
        image_id=before.get("imageID", ""),
        container_id=before.get("containerID", ""),
        restarts=int(before.get("restartCount", 0)),
        started=bool(before.get("started")),
        ready=bool(before.get("ready")),
        final="terminated" in state and not again,
    )
