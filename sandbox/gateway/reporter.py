"""Writes the status of routes and Gateways to the API server, when it differs from what is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

import aiohttp
from kubernetes.aio import client

from sandbox.gateway.cluster import API, Cluster
from sandbox.gateway.model import Table
from sandbox.gateway.status import Object, gateway_status, route_status

log = logging.getLogger(__name__)

AGAIN = 1.0


class Reporter:
    """One job that writes; what cannot be written now is written later, from the state of then."""

    def __init__(
        self, api: client.ApiClient, cluster: Cluster, tables: Mapping[str, Table], failed: Mapping[int, str]
    ) -> None:
        self.failed = failed
        self._api, self._cluster, self._tables = api, cluster, tables
        self._due: set[str] = set()
        self._woken = asyncio.Event()

    def report(self, namespaces: set[str]) -> None:
        """Have the status of these namespaces' objects looked at."""
        self._due |= namespaces
        self._woken.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            due, self._due = self._due, set()
            results = await asyncio.gather(*map(self._namespace, due))
            late = {name for name, done in zip(due, results, strict=True) if not done}
            if late:
                asyncio.get_running_loop().call_later(AGAIN, self.report, late)

    async def accept(self, gateway_class: str) -> None:
        """Say on the GatewayClass, if there is one, that its controller runs."""
        item = {"metadata": {"name": gateway_class, "generation": 1}}
        at = _now()
        condition = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "", "observedGeneration": 1}
        await self._write("gatewayclasses", item, {"conditions": [{**condition, "lastTransitionTime": at}]})

    async def _namespace(self, namespace: str) -> bool:
        table, at = self._tables[namespace], _now()
        gateways, written = self._cluster.gateways(namespace), True
        for gateway in gateways:
            status = gateway_status(gateway, table, self.failed, at)
            if status is not None:
                written &= await self._write("gateways", gateway, status)
        for route in self._cluster.routes(namespace):
            parents = route_status(route, gateways, table, at)
            if parents is not None:
                written &= await self._write("httproutes", route, {"parents": parents})
        return written

    async def _write(self, plural: str, item: Object, status: Object) -> bool:
        meta = item["metadata"]
        where = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
        path = f"{API}{where}/{plural}/{meta['name']}/status"
        target = await self._api.param_serialize(
            "PATCH",
            path,
            query_params=[("fieldManager", "tidegate-sandbox-gateway")],
            header_params={"Content-Type": "application/merge-patch+json", "Accept": "application/json"},
            body={"status": status},
            auth_settings=["BearerToken"],
        )
        try:
            answer = await self._api.call_api(*target, _request_timeout=10)
            await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.info("the status of %s cannot be written now: %s", path, error)
            return False
        # Gone in the meantime: nothing is owed.
        status_code: int = answer.response.status
        return status_code < 400 or status_code == 404


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
