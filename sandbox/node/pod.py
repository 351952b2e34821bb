"""One pod's life on the simulated node: bound, started, kept, ended."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from sandbox.node.api import MERGE, Json
from sandbox.node.container import ContainerLife
from sandbox.node.ending import stop
from sandbox.node.events import now
from sandbox.node.schedule import Machine
from sandbox.node.shared import Shared
from sandbox.node.status import Place, is_ready, phase, pod_status, unscheduled
from sandbox.node.takeover import states_of
from sandbox.node.writes import Writes

TRY_AGAIN = 5.0


class PodLife:
    """Follows one pod from its first sight to its end; `update` brings it what the watch saw."""

    def __init__(self, shared: Shared, pod: Json) -> None:
        self.shared = shared
        self.pod = pod
        self.uid = str(pod["metadata"]["uid"])
        self.region = shared.world.regions.get(pod["metadata"]["namespace"], pod["metadata"]["namespace"])
        status = pod.get("status") or {}
        self.address = str(status.get("podIP") or "")
        self._since = str(status.get("startTime") or "")
        self._machine = shared.scheduler.named(pod["spec"].get("nodeName", ""))
        self._init = states_of(pod, "initContainers")
        self._main = states_of(pod, "containers")
        self._lives: list[ContainerLife] = []
        self._over = status.get("phase") in ("Succeeded", "Failed")
        self._ending = asyncio.Event()
        self._writes = Writes(self._write)
        self._written: Json = {}
        if self._machine is not None and not self._over:
            shared.scheduler.keep(self.uid, pod["spec"], self._machine)
        self.update(pod)

    def update(self, pod: Json) -> None:
        """The pod as it is now; older news than what is known does nothing."""
        if int(pod["metadata"]["resourceVersion"]) >= int(self.pod["metadata"]["resourceVersion"]):
            self.pod = pod
        if self.pod["metadata"].get("deletionTimestamp"):
            self._ending.set()

    def wake(self) -> None:
        """Behaviours were changed while it runs."""
        for life in self._lives:
            life.changed.set()

    async def live(self) -> None:
        """Until the pod is deleted and this has said so to the API server."""
        try:
            if not self._over:
                await self._unless_ending(self._work())
            await self._ending.wait()
            if self._machine is not None:
                await self._end()
        finally:
            self._writes.stop()

    def forget(self) -> None:
        """The pod is no more: gives back all that it had."""
        entry = self.shared.world.pods.pop(self.uid, None)
        if entry is not None:
            entry.serving = entry.ready = False
        self.shared.scheduler.release(self.uid)
        self.shared.addresses.give_back(self.address)

    async def publish(self) -> None:
        """Writes the status where it differs from what was written last."""
        await self._writes.now()

    def publish_later(self) -> None:
        """Writes the status soon, unless something more telling is written before."""
        self._writes.later()

    def tell(self, reason: str, message: str, container: str, *, normal: bool = False) -> None:
        self.shared.events.tell(self.pod, reason, message, container=container, normal=normal)

    async def _write(self) -> None:
        status = pod_status(self.pod, self._init, self._main, self._place(), now())
        if status != self._written:
            await self._patch(status)
            self._written = status
        entry = self.shared.world.pods.get(self.uid)
        if entry is not None:
            entry.ready = is_ready(status)

    async def _unless_ending(self, work: Coroutine[Any, Any, None]) -> None:
        task, ending = asyncio.create_task(work), asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait({task, ending}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            for one in (task, ending):
                one.cancel()
            await asyncio.gather(task, ending, return_exceptions=True)

    async def _work(self) -> None:
        if self._machine is None:
            self._machine = await self._schedule()
        self._since = self._since or now()
        self._keep_address()
        self.publish_later()
        for index, state in enumerate(self._init):
            if not state.final:
                spec = self.pod["spec"]["initContainers"][index]
                await self._run(ContainerLife(self, spec, state, initial=True, main=False))
            if state.exit_code:
                break
        else:
            await self._run(
                *(
                    ContainerLife(self, spec, state, initial=False, main=index == 0)
                    for index, (spec, state) in enumerate(zip(self.pod["spec"]["containers"], self._main, strict=True))
                    if not state.final
                )
            )
        self._over = phase(self._init, self._main) in ("Succeeded", "Failed")
        self.shared.scheduler.release(self.uid)

    async def _run(self, *lives: ContainerLife) -> None:
        self._lives = list(lives)
        async with asyncio.TaskGroup() as group:
            for life in lives:
                group.create_task(life.run())

    def _keep_address(self) -> None:
        if self.address:
            self.shared.addresses.keep(self.address)
        else:
            self.address = self.shared.addresses.take()

    async def _schedule(self) -> Machine:
        said = ""
        while True:
            found = self.shared.scheduler.take(self.uid, self.pod["spec"])
            if isinstance(found, Machine):
                await self._bind(found)
                return found
            if found != said:
                said = found
                self.shared.events.tell(self.pod, "FailedScheduling", found)
                await self._patch(unscheduled(self.pod, found, now()))
            try:
                async with asyncio.timeout(TRY_AGAIN):
                    await self.shared.scheduler.wait()
            except TimeoutError:
                continue

    async def _bind(self, machine: Machine) -> None:
        meta = self.pod["metadata"]
        target = {"apiVersion": "v1", "kind": "Node", "name": machine.name}
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": self.uid},
            "target": target,
        }
        # A conflict means that an earlier try, whose answer was lost, did bind it.
        await self.shared.api.insist("POST", f"{self._path()}/binding", body)

    def _place(self) -> Place:
        return Place(self.address, self._machine.address if self._machine else "", self._since)

    async def _patch(self, status: Mapping[str, Any]) -> None:
        body = {"metadata": {"uid": self.uid}, "status": dict(status)}
        code, answer = await self.shared.api.insist("PATCH", f"{self._path()}/status", body, MERGE)
        if code == 200:
            self.update(answer)

    def _path(self) -> str:
        meta = self.pod["metadata"]
        return f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"

    async def _end(self) -> None:
        await stop(self.shared, self.pod, self._main)
        if self.pod["metadata"].get("finalizers"):
            await self.publish()  # somebody, such as a Job, still wants to see how it ended
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
        await self.shared.api.insist("DELETE", self._path(), body)
