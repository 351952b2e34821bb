"""What the simulated node's tests on a real control plane share: a node, an API server's namespace, and waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from node_registry import FakeRegistry

from sandbox.admin import Admin
from sandbox.node import Node
from sandbox.node.api import MERGE, Api
from sandbox.world import Answer, RunningPod, World

Json = dict[str, Any]
HOST = "127.0.0.1:5000"


@dataclass
class Bench:
    """A namespace that is the region us-east-1, and the registry and world of the node that serves it."""

    api: Api
    namespace: str
    world: World
    registry: FakeRegistry = field(default_factory=FakeRegistry)

    def path(self, kind: str, name: str = "") -> str:
        group = {"deployments": "/apis/apps/v1", "jobs": "/apis/batch/v1"}.get(kind, "/api/v1")
        return f"{group}/namespaces/{self.namespace}/{kind}" + (f"/{name}" if name else "")

    async def create(self, kind: str, item: Json) -> Json:
        status, answer = await self.api.insist("POST", self.path(kind), item)
        assert status == 201, answer
        return answer

    async def patch(self, kind: str, name: str, changes: Json) -> None:
        status, answer = await self.api.insist("PATCH", self.path(kind, name), changes, MERGE)
        assert status == 200, answer

    async def deploy(self, tag: str, *, replicas: int = 1, **container: Any) -> None:
        await self.create("deployments", deployment(tag, replicas, **container))

    @property
    def running(self) -> dict[str, RunningPod]:
        """What the gateway knows of this namespace; the node also ends what earlier tests left in theirs."""
        return {uid: pod for uid, pod in self.world.pods.items() if pod.namespace == self.namespace}

    async def gone(self, *, seconds: float = 10) -> None:
        """Until nothing runs any more."""
        for _ in range(int(seconds / 0.05)):
            if not self.running:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"still there: {list(self.running)}")

    async def pods(self) -> list[Json]:
        _, answer = await self.api.insist("GET", self.path("pods"))
        items: list[Json] = answer["items"]
        return items

    async def until(self, holds: Callable[[Json], bool], *, count: int = 1, seconds: float = 15) -> list[Json]:
        """The pods for which it holds, once there are `count` of them."""
        found: list[Json] = []
        for _ in range(int(seconds / 0.05)):
            found = [pod for pod in await self.pods() if holds(pod)]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError([pod["status"] for pod in await self.pods()])

    async def events(self, reason: str, *, seconds: float = 5) -> list[str]:
        """The messages of the namespace's Events with a reason, once there are any."""
        for _ in range(int(seconds / 0.1)):
            _, answer = await self.api.insist("GET", self.path("events"))
            found = [item["message"] for item in answer["items"] if item["reason"] == reason]
            if found:
                return found
            await asyncio.sleep(0.1)
        raise AssertionError(f"no event {reason}")


@asynccontextmanager
async def bench(
    admin: Admin, namespace: str, *, speed: float = 10, node_admin: Admin | None = None, **node: Any
) -> AsyncIterator[Bench]:
    """A running node; it goes to the API server as `node_admin` where that is given, the test as `admin`."""
    api = Api(admin)
    one = Bench(api, namespace, World(regions={namespace: "us-east-1"}, speed=speed))
    one.registry.push("1.4.0")
    one.world.fetch = fetch
    simulated = Node(node_admin or admin, one.world, one.registry.images(), **node)
    await simulated.start()
    try:
        yield one
    finally:
        await simulated.stop()
        await api.close()


async def fetch(namespace: str, url: str) -> Answer:
    """The gateway's answer: 200 for http://good/, else 503."""
    return Answer(200 if url.startswith("http://good/") else 503)


def deployment(tag: str, replicas: int, *, spec: Json | None = None, **container: Any) -> Json:
    labels = {"app": "shop"}
    shop = {
        "name": "shop",
        "image": f"{HOST}/shop:{tag}",
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 5},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [shop | container]} | (spec or {})}
    return {
        "metadata": {"name": "shop"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def container(pod: Json) -> Json:
    """The first container's status; empty before there is one."""
    found: list[Json] = pod["status"].get("containerStatuses") or [{}]
    return found[0]


def waits_for(reason: str) -> Callable[[Json], bool]:
    """Whether the pod's container waits for a reason."""
    return lambda pod: container(pod).get("state", {}).get("waiting", {}).get("reason") == reason


def is_ready(pod: Json) -> bool:
    conditions = {one["type"]: one["status"] for one in pod["status"].get("conditions") or ()}
    return conditions.get("Ready") == "True" and not pod["metadata"].get("deletionTimestamp")
