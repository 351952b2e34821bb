"""The simulated node: one watch on all pods, one small task for each."""

from __future__ import annotations

import asyncio
import copy
import logging

from sandbox.admin import Admin
from sandbox.node.api import MERGE, Api, Json
from sandbox.node.events import Events
from sandbox.node.images import ImageSource
from sandbox.node.pod import PodLife
from sandbox.node.schedule import MAX_PODS, Machine, machines
from sandbox.node.shared import Scheduler, Shared
from sandbox.node.watch import follow
from sandbox.world import World

log = logging.getLogger("tidegate.sandbox.node")

_LOOK_EVERY = 0.1
_PODS = "/api/v1/pods"


class Node:
    """Scheduler and kubelet of the sandbox.

    `admin` is the cluster-admin's way to the API server, `world` what it shares with the gateway, `images` the
    registry (closed by `stop`). `nodes` machines of `cpu` and `memory` each are registered as Kubernetes Nodes.
    """

    def __init__(
        self,
        admin: Admin,
        world: World,
        images: ImageSource,
        *,
        nodes: int = 4,
        cpu: str = "64",
        memory: str = "256Gi",
    ) -> None:
        self._world = world
        self._images = images
        self._scheduler = Scheduler(machines(nodes, cpu, memory))
        self._lives: dict[str, PodLife] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._services: list[asyncio.Task[None]] = []
        self._api = Api(admin)
        self._shared = Shared(self._api, world, images, Events(self._api), self._scheduler)

    async def start(self) -> None:
        """Registers the machines and starts to follow the pods; those that run already are taken over."""
        await self._register()
        self._services = [
            asyncio.create_task(follow(self._api, _PODS, self._see, self._gone)),
            asyncio.create_task(self._shared.events.write()),
            asyncio.create_task(self._look()),
        ]

    async def stop(self) -> None:
        """Lets go of everything; the pods stay in the API server as they are."""
        tasks = [*self._services, *self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        self._lives.clear()
        await self._images.close()
        await self._api.close()

    async def set_capacity(self, cpu: str, memory: str) -> None:
        """Changes what every machine has; what runs stays, what waits is tried again."""
        for machine in self._scheduler.machines:
            machine.cpu, machine.memory = cpu, memory
        await self._register()
        self._scheduler.freed()

    def _see(self, pod: Json) -> None:
        uid = pod["metadata"]["uid"]
        life = self._lives.get(uid)
        if life is not None:
            life.update(pod)
        elif self._is_ours(pod):
            self._lives[uid] = PodLife(self._shared, pod)
            self._tasks[uid] = asyncio.create_task(self._live(uid))

    def _is_ours(self, pod: Json) -> bool:
        name = pod["spec"].get("nodeName")
        if name:
            return self._scheduler.named(name) is not None
        return bool(pod["spec"].get("schedulerName", "default-scheduler") == "default-scheduler")

    def _gone(self, uid: str) -> None:
        task = self._tasks.pop(uid, None)
        if task is not None:
            task.cancel()
        life = self._lives.pop(uid, None)
        if life is not None:
            life.forget()

    async def _live(self, uid: str) -> None:
        while True:
            life = self._lives[uid]
            try:
                await life.live()
            except Exception:
                # A pod must not be lost to a fault of ours: it starts over from what the API server says.
                log.exception("the simulated node failed on a pod and starts it over")
                await asyncio.sleep(1)
                self._lives[uid] = PodLife(self._shared, life.pod)
            else:
                return

    async def _look(self) -> None:
        """Wakes the pods when somebody changed a behaviour while they run."""
        before = copy.deepcopy(self._world.overrides)
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            if self._world.overrides != before:
                before = copy.deepcopy(self._world.overrides)
                for life in self._lives.values():
                    life.wake()

    async def _register(self) -> None:
        for machine in self._scheduler.machines:
            status, answer = await self._api.insist("POST", "/api/v1/nodes", _node(machine))
            if status not in (201, 409):
                raise RuntimeError(f"the API server refused a simulated node: {answer.get('message', status)}")
            path = f"/api/v1/nodes/{machine.name}"
            # Admission taints every new node as not ready; no controller of the sandbox would take that away.
            await self._api.insist("PATCH", path, {"spec": {"taints": None}}, MERGE)
            await self._api.insist("PATCH", f"{path}/status", {"status": _status(machine)}, MERGE)


def _node(machine: Machine) -> Json:
    labels = machine.labels | {"tidegate.dev/simulated": "true"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": machine.name, "labels": labels}}


def _status(machine: Machine) -> Json:
    room = {"cpu": machine.cpu, "memory": machine.memory, "pods": str(MAX_PODS)}
    ready = {"type": "Ready", "status": "True", "reason": "Simulated", "message": "simulated by Tidegate's sandbox"}
    info = {
        "kubeletVersion": "v1.37.2+simulated",
        "osImage": "simulated by Tidegate's sandbox",
        "operatingSystem": "linux",
        "architecture": "amd64",
        "containerRuntimeVersion": "simulated://1",
    }
    address = {"type": "InternalIP", "address": machine.address}
    return {"capacity": room, "allocatable": room, "conditions": [ready], "addresses": [address], "nodeInfo": info}
