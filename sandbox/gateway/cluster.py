"""What the gateway knows of the cluster: four kinds of object, and which namespaces have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from kubernetes.aio import client

from sandbox.gateway.backends import Found
from sandbox.gateway.model import Table
from sandbox.gateway.table import build
from sandbox.gateway.watch import Key, Object, Reflector

API = "/apis/gateway.networking.k8s.io/v1"
SERVICE_LABEL = "kubernetes.io/service-name"


class Cluster:
    """Follows Gateways of `gateway_class`, HTTPRoutes, Services and EndpointSlices of all namespaces."""

    def __init__(self, api: client.ApiClient, gateway_class: str) -> None:
        self.dirty: set[str] = set()
        self.woken = asyncio.Event()
        self._class = gateway_class
        self._gateways = Reflector(api, f"{API}/gateways", self._touch)
        self._routes = Reflector(api, f"{API}/httproutes", self._touch)
        self._services = Reflector(api, "/api/v1/services", self._touch)
        self._slices = Reflector(api, "/apis/discovery.k8s.io/v1/endpointslices", self._touch)
        self._all = (self._gateways, self._routes, self._services, self._slices)

    def following(self) -> list[Coroutine[Any, Any, None]]:
        """The endless jobs that keep the copy fresh."""
        return [each.run() for each in self._all]

    async def synced(self) -> None:
        """Until everything was listed once."""
        for each in self._all:
            await each.synced.wait()

    def touch(self, namespace: str) -> None:
        """Have a namespace looked at again."""
        self.dirty.add(namespace)
        self.woken.set()

    def take(self) -> set[str]:
        """The namespaces that changed since the last call."""
        taken, self.dirty = self.dirty, set()
        self.woken.clear()
        return taken

    def gateways(self, namespace: str) -> list[Object]:
        return [g for g in _inside(self._gateways, namespace) if g["spec"]["gatewayClassName"] == self._class]

    def routes(self, namespace: str) -> list[Object]:
        """The HTTPRoutes in their order of precedence: oldest first, then by name."""
        found = _inside(self._routes, namespace)
        return sorted(found, key=lambda r: (r["metadata"]["creationTimestamp"], r["metadata"]["name"]))

    def table(self, namespace: str, region: str) -> Table:
        slices: dict[Key, list[Object]] = {}
        for each in _inside(self._slices, namespace):
            owner = each["metadata"].get("labels", {}).get(SERVICE_LABEL, "")
            slices.setdefault((namespace, owner), []).append(each)
        services = {(namespace, s["metadata"]["name"]): s for s in _inside(self._services, namespace)}
        found = Found(services, slices)
        return build(namespace, region, self.gateways(namespace), self.routes(namespace), found)

    def _touch(self, key: Key) -> None:
        self.touch(key[0])


def _inside(reflector: Reflector, namespace: str) -> Sequence[Object]:
    return [item for (where, _), item in reflector.objects.items() if where == namespace]
