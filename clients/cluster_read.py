"""Kubernetes' objects, as decoded JSON, into what Tidegate observes. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from release import maintenance, names, records
from release.evidence import Event
from release.labels import release_of
from release.model import SLOTS, HelmRelease, Pod, Record, RegionState, Route, Slot, SlotState, Workload

Object = Mapping[str, Any]


def region_state(
    app: str,
    region: str,
    *,
    pods: Iterable[Object],
    deployments: Iterable[Object],
    releases: Iterable[Object],
    route: Object | None,
    now: float,
    scalers: Iterable[Object] = (),
) -> RegionState:
    """`scalers` are HorizontalPodAutoscalers, `releases` the metadata of Helm's Secrets; `now` is the API server's
    time, seconds since the epoch."""
    workloads = {item["metadata"]["name"]: item for item in deployments}
    least = {item["spec"]["scaleTargetRef"]["name"]: item["spec"].get("minReplicas", 1) for item in scalers}
    newest = _newest(releases)
    by_slot: dict[str, list[Pod]] = {}
    for item in pods:
        slot = (item["metadata"].get("labels") or {}).get(names.SLOT_LABEL, "")
        by_slot.setdefault(slot, []).append(pod(item, now))

    def slot_state(slot: Slot) -> SlotState:
        name = names.slot_release(app, slot)
        deployment = workloads.get(name)
        return SlotState(
            slot,
            release=newest.get(name),
            workload=None if deployment is None else workload(deployment, least.get(name, 0)),
            pods=tuple(sorted(by_slot.get(slot, ()), key=lambda one: one.name)),
        )

    return RegionState(
        region,
        blue=slot_state("blue"),
        green=slot_state("green"),
        route=None if route is None else split(app, route),
    )


def _newest(secrets: Iterable[Object]) -> dict[str, HelmRelease]:
    newest: dict[str, HelmRelease] = {}
    for secret in secrets:
        release = release_of(secret["metadata"]["labels"])
        if release.name not in newest or release.revision > newest[release.name].revision:
            newest[release.name] = release
    return newest


def workload(deployment: Object, least: int = 0) -> Workload:
    """A slot's Deployment; counts that Kubernetes leaves out are 0. Its autoscaler will have `least` pods soon."""
    spec, status = deployment["spec"], deployment.get("status") or {}
    failures = [
        condition.get("message", "")
        for condition in status.get("conditions") or ()
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True"
    ]
    return Workload(
        digest=digest_of(spec["template"]["spec"]["containers"][0].get("image", "")),
        replicas=max(spec.get("replicas", 1), least),
        updated=status.get("updatedReplicas", 0),
        ready=status.get("readyReplicas", 0),
        total=status.get("replicas", 0),
        observed=status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0),
        failure=failures[0] if failures else None,
    )


def pod(item: Object, now: float) -> Pod:
    """A pod by its first container: the application's."""
    spec, status = item["spec"], item.get("status") or {}
    container = spec["containers"][0]
    seen = _container_status(status, container["name"])
    state = seen.get("state") or {}
    waiting, running = state.get("waiting") or {}, state.get("running") or {}
    ended = state.get("terminated") or (seen.get("lastState") or {}).get("terminated") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    readiness = conditions.get("Ready", {})
    ready = readiness.get("status") == "True"
    runs_for = _since(running.get("startedAt"), now)
    image = container.get("image", "")
    return Pod(
        name=item["metadata"]["name"],
        digest=digest_of(image),
        image=image,
        ready=ready,
        terminating="deletionTimestamp" in item["metadata"],
        running=bool(running),
        restarts=seen.get("restartCount", 0),
        waiting=waiting.get("reason"),
        message=waiting.get("message") or ended.get("message") or status.get("message") or "",
        exit_code=ended.get("exitCode"),
        unschedulable=_unschedulable(conditions),
        running_seconds=runs_for,
        unready_seconds=0.0 if ready else min(runs_for, _since(readiness.get("lastTransitionTime"), now, runs_for)),
        failed_start=0.0 if ready else _failed_start(container.get("startupProbe"), ended, readiness),
        age_seconds=_since(item["metadata"]["creationTimestamp"], now),
    )


def _container_status(status: Object, name: str) -> Object:
    return next((one for one in status.get("containerStatuses") or () if one["name"] == name), {})


def _failed_start(probe: Object | None, ended: Object, readiness: Object) -> float:
    """How long a life was that ended in vain: as long as its startup probe gives it, and never Ready."""
    if probe is None or not ended.get("startedAt") or not ended.get("finishedAt"):
        return 0.0
    began, finished = _seconds(ended["startedAt"]), _seconds(ended["finishedAt"])
    changed = readiness.get("lastTransitionTime")
    if changed and _seconds(changed) > began:
        return 0.0
    # Kubernetes' own defaults. The first probe comes at once, and times are told in whole seconds.
    period, failures = probe.get("periodSeconds") or 10, probe.get("failureThreshold") or 3
    given = (probe.get("initialDelaySeconds") or 0) + period * (failures - 1) - 1
    return finished - began if finished - began >= given else 0.0


def _unschedulable(conditions: Mapping[str, Object]) -> str | None:
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        return str(scheduled.get("message", ""))
    return None


def event(item: Object) -> Event:
    """A core Event; newer senders tell the time and the count in other places."""
    series, meta = item.get("series") or {}, item["metadata"]
    return Event(
        pod=item["involvedObject"].get("name", ""),
        kind=item.get("type") or "Normal",
        reason=item.get("reason") or "",
        message=item.get("message") or "",
        count=item.get("count") or series.get("count") or 1,
        at=item.get("lastTimestamp") or item.get("eventTime") or meta.get("creationTimestamp") or "",
    )


def endpoints(slices: Iterable[Object]) -> frozenset[str]:
    """The names of the pods that are ready by these EndpointSlices; a condition that is not told counts as ready."""
    return frozenset(
        one["targetRef"]["name"]
        for item in slices
        for one in item.get("endpoints") or ()
        if (one.get("conditions") or {}).get("ready", True) is not False and "targetRef" in one
    )


def ours(switch: Object) -> bool:
    """Whether Tidegate's records count: not on a Service of that name which somebody else made, and still manages."""
    labels = switch["metadata"].get("labels") or {}
    return switch.get("kind") != "Service" or labels.get(names.MANAGED_LABEL) == names.FIELD_MANAGER


def split(app: str, switch: Object) -> Route:
    """The two slots' weights (0 for one that is not named) and the two records, of an HTTPRoute or a Service."""
    weights = _selected(switch) if switch.get("kind") == "Service" else _weights(app, switch)
    annotations = switch["metadata"].get("annotations") or {}
    return Route(
        blue=weights.get("blue", 0),
        green=weights.get("green", 0),
        live=_record(annotations, names.LIVE),
        previous=_record(annotations, names.PREVIOUS),
        retire=records.retirement_from_text(annotations.get(names.RETIRE, "")),
        maintenance=maintenance.until(annotations.get(names.MAINTENANCE, "")),
    )


def _weights(app: str, route: Object) -> dict[str, int]:
    backends = [one for rule in (route["spec"].get("rules") or ())[:1] for one in rule.get("backendRefs") or ()]
    weights = {one["name"]: int(one.get("weight", 1)) for one in backends}
    return {slot: weights.get(names.slot_release(app, slot), 0) for slot in SLOTS}


def _selected(service: Object) -> dict[str, int]:
    return {(service["spec"].get("selector") or {}).get(names.SLOT_LABEL, ""): 100}


def _record(annotations: Mapping[str, str], name: str) -> Record | None:
    text = annotations.get(name)
    return records.from_text(text, name) if text else None


def digest_of(image: str) -> str | None:
    """`sha256:...` of `host/path@sha256:...`; None for an image by tag."""
    _, at, digest = image.partition("@")
    return digest if at else None


def _since(rfc3339: str | None, now: float, otherwise: float = 0.0) -> float:
    """Seconds since then, at least 0; `otherwise` where it is not told."""
    return max(0.0, now - _seconds(rfc3339)) if rfc3339 else otherwise


def _seconds(rfc3339: str) -> float:
    return datetime.fromisoformat(rfc3339).timestamp()
