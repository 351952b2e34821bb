"""One region's namespace: observe it, apply the traffic objects, move the users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from clients import cluster_read, kube, kube_errors
from clients import switch as switches
from clients.kube import Kube
from clients.together import together
from release import names, records
from release.environment import Traffic
from release.evidence import Event
from release.model import SLOTS, Record, RegionState, Retirement, Route, Slot

# Plurals of what Tidegate applies itself.
_COLLECTIONS = {("v1", "Service"): "services", (switches.GATEWAY_API, "HTTPRoute"): "httproutes"}
_APPLY = {"fieldManager": names.FIELD_MANAGER, "force": "true"}
_WRITE = {"fieldManager": names.FIELD_MANAGER}


class Cluster:
    """`async with Cluster(kubeconfig, context, namespace)`; `timeout` in seconds bounds each request.

    With `switch` service the route is one Service, whose selector is the split: 0 or 100.
    Every method raises Unavailable when the API server does not answer, and Refused when a right is missing.
    """

    def __init__(
        self,
        kubeconfig: Path,
        context: str,
        namespace: str,
        *,
        switch: Traffic = "gateway",
        timeout: float = 10.0,
    ) -> None:
        self._kube = Kube(kubeconfig, context, timeout=timeout)
        self._namespace = namespace
        self._switch: Traffic = switch

    async def __aenter__(self) -> Self:
        await self._kube.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._kube.__aexit__(kind, error, trace)

    async def reachable(self) -> str:
        """The API server's version, such as v1.37.2."""
        answer = await self._kube.send("GET", "/version")
        return str(answer.body["gitVersion"])

    async def observe(self, app: str, region: str) -> RegionState:
        """Both slots and the route, read side by side: five requests, one round."""
        here = f"{names.APP_LABEL}={app}"
        releases = ",".join(names.slot_release(app, slot) for slot in SLOTS)
        (pods, now), (deployments, _), (scalers, _), (secrets, _), route = await together(
            self._kube.items(self._path("v1", "pods"), here),
            self._kube.items(self._path("apps/v1", "deployments"), here),
            self._kube.items(self._path("autoscaling/v2", "horizontalpodautoscalers"), here),
            self._kube.items(
                self._path("v1", "secrets"), f"owner=helm,name in ({releases})", accept=kube.METADATA_ONLY
            ),
            self._found(app),
        )
        return cluster_read.region_state(
            app,
            region,
            pods=pods,
            deployments=deployments,
            scalers=scalers,
            releases=secrets,
            route=route,
            now=now,
        )

    async def split(self, app: str) -> Route | None:
        """The traffic split alone, in one request; None where there is none yet."""
        found = await self._found(app)
        return None if found is None else cluster_read.split(app, found)

    async def _found(self, app: str) -> Mapping[str, Any] | None:
        found = await self._kube.find(self._route(app))
        return found.body if found is not None and cluster_read.ours(found.body) else None

    async def endpoints(self, service: str) -> frozenset[str]:
        """The names of the pods to which gateways may send a Service's users, as its EndpointSlices have them."""
        path = self._path("discovery.k8s.io/v1", "endpointslices")
        slices, _ = await self._kube.items(path, f"kubernetes.io/service-name={service}")
        return cluster_read.endpoints(slices)

    async def pod_events(self, pods: Sequence[str]) -> tuple[Event, ...]:
        """What Kubernetes told about these pods, in no order; a hundred events a pod at most."""
        path = self._path("v1", "events")
        asked = [
            {"fieldSelector": f"involvedObject.kind=Pod,involvedObject.name={pod}", "limit": "100"} for pod in pods
        ]
        answers = await together(*(self._kube.send("GET", path, query=query) for query in asked))
        return tuple(cluster_read.event(item) for answer in answers for item in answer.body.get("items") or ())

    async def apply(self, manifests: Sequence[Mapping[str, Any]]) -> None:
        """Server-side apply of Services and HTTPRoutes: what they name is Tidegate's, the rest is left alone."""
        await together(*(self._apply(manifest) for manifest in manifests))

    async def _apply(self, manifest: Mapping[str, Any]) -> None:
        collection = _COLLECTIONS[manifest["apiVersion"], manifest["kind"]]
        path = self._path(manifest["apiVersion"], collection, manifest["metadata"]["name"])
        await self._kube.send("PATCH", path, query=_APPLY, body=manifest, content_type=kube.APPLY)

    async def record(self, app: str, live: Record, previous: Record | None, kept: Retirement | None = None) -> None:
        """Write on the route what is live, what was before, and which slot is kept for the window; None forgets."""
        annotations = {
            names.LIVE: records.to_text(live),
            names.PREVIOUS: None if previous is None else records.to_text(previous),
            names.RETIRE: None if kept is None else records.retirement_to_text(kept),
        }
        patch = {"metadata": {"annotations": annotations}}
        await self._kube.send("PATCH", self._route(app), query=_WRITE, body=patch, content_type=kube.MERGE_PATCH)

    async def set_maintenance(self, app: str, text: str | None) -> bool:
        """Write or remove the route's maintenance annotation; False where there is no route, hence no users."""
        patch = {"metadata": {"annotations": {names.MAINTENANCE: text}}}
        try:
            await self._kube.send("PATCH", self._route(app), query=_WRITE, body=patch, content_type=kube.MERGE_PATCH)
        except kube_errors.Missing:
            return False
        return True

    async def set_weights(self, app: str, blue: int, green: int) -> None:
        """Give each slot its share of the users, in one write; refused if the route names other backends, or is a
        Service that somebody else manages."""
        if min(blue, green) < 0 or blue + green != 100:
            raise ValueError(f"weights must sum to 100, not {blue} and {green}")
        patch = switches.move(self._switch, app, blue, green)
        await self._kube.send("PATCH", self._route(app), query=_WRITE, body=patch, content_type=kube.JSON_PATCH)

    async def remove_tests(self, release: str) -> None:
        """Delete the pods of a Helm release's chart tests."""
        ours = f"app.kubernetes.io/instance={release},app.kubernetes.io/component=test"
        pods, _ = await self._kube.items(self._path("v1", "pods"), ours)
        for pod in pods:
            with suppress(kube_errors.Missing):
                await self._kube.send("DELETE", self._path("v1", "pods", pod["metadata"]["name"]))

    async def keep_count(self, app: str, slot: Slot) -> None:
        """Own the Deployment's count as it is now, so that a chart that leaves it to an autoscaler drops no pod.

        A field that its last owner leaves out falls back to its default: one replica.
        """
        name = names.slot_release(app, slot)
        path = self._path("apps/v1", "deployments", name)
        if (found := await self._kube.find(path)) is not None:
            count = {"replicas": found.body["spec"].get("replicas", 1)}
            mine = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": count}
            await self._kube.send("PATCH", path, query=_APPLY, body=mine, content_type=kube.APPLY)

    async def set_minimum(self, app: str, slot: Slot, replicas: int) -> bool:
        """Let the slot's autoscaler have no fewer pods than these; False where there is no autoscaler."""
        path = self._path("autoscaling/v2", "horizontalpodautoscalers", names.slot_release(app, slot))
        patch = {"spec": {"minReplicas": replicas}}
        try:
            await self._kube.send("PATCH", path, query=_WRITE, body=patch, content_type=kube.MERGE_PATCH)
        except kube_errors.Missing:
            return False
        return True

    async def secret_keys(self, name: str) -> frozenset[str] | None:
        """The names of a Secret's keys; None when there is no such Secret."""
        found = await self._kube.find(self._path("v1", "secrets", name))
        return None if found is None else frozenset(found.body.get("data") or ())

    def _route(self, app: str) -> str:
        return self._path(*switches.KINDS[self._switch], names.route(app))

    def _path(self, version: str, collection: str, name: str | None = None) -> str:
        path = f"{kube.root(version)}/namespaces/{self._namespace}/{collection}"
        return path if name is None else f"{path}/{name}"
