"""One container's life: prepared, run, ended, held back, and run again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from sandbox.node import behaviour as behaviours
from sandbox.node.events import now
from sandbox.node.images import Image
from sandbox.node.job import run_once
from sandbox.node.owner import Owner
from sandbox.node.preparing import BACK_OFF, LONGEST_BACK_OFF, configure, pull
from sandbox.node.probes import ports_of
from sandbox.node.serving import Serving
from sandbox.node.status import ContainerState, terminated, waiting
from sandbox.world import Behaviour, RunningPod

STABLE_AFTER = 600.0
"""Seconds of a run after which the back-off starts anew."""
VERSION = "org.opencontainers.image.version"
COMMIT = "org.opencontainers.image.revision"


class ContainerLife:
    """Runs a container until it ends for good.

    `initial` marks an init container; the `main` one is the application, which the gateway knows. Set `changed`
    when behaviours were changed.
    """

    def __init__(
        self, owner: Owner, spec: Mapping[str, Any], state: ContainerState, *, initial: bool, main: bool
    ) -> None:
        self._owner, self._spec, self._initial, self._main = owner, spec, initial, main
        self._policy = owner.pod["spec"].get("restartPolicy", "Always")
        self._adopted = "running" in state.state
        self.state = state
        self.changed = asyncio.Event()

    async def run(self) -> None:
        """Returns when the container will not run again."""
        image = await pull(self._owner, self._spec, self.state, adopted=self._adopted)
        back_off = 0.0
        while True:
            values, found = await configure(self._owner, self._spec, self.state, image)
            began = time.monotonic()
            code, message = await self._once(image, values, found)
            self._ended(code, message)
            if not self._again(code):
                self.state.final = True
                await self._owner.publish()
                return
            if time.monotonic() - began > STABLE_AFTER / self._owner.shared.world.speed:
                back_off = 0.0
            await self._back_off(back_off)
            back_off = min(back_off * 2, LONGEST_BACK_OFF) or BACK_OFF
            self.state.restarts += 1

    def _again(self, code: int) -> bool:
        return self._serves or (code != 0 and self._policy != "Never")

    @property
    def _serves(self) -> bool:
        return self._policy == "Always" and not self._initial

    async def _once(self, image: Image, values: Mapping[str, str], found: Behaviour) -> tuple[int, str]:
        """One run of it: exit code and message."""
        adopted, self._adopted = self._adopted, False
        meta, shared = self._owner.pod["metadata"], self._owner.shared
        if not adopted:
            mark = f"{self.state.name}{self.state.restarts}".encode().hex()[:32]
            self.state.state = {"running": {"startedAt": now()}}
            self.state.container_id = f"containerd://{meta['uid'].replace('-', '')}{mark}"
        entry = self._entry(image, values, found)
        if self._serves:
            if self._main:
                entry = shared.world.pods.setdefault(meta["uid"], entry)
            serving = Serving(self._owner, self._spec, self.state, entry, found)
            return await serving.run(self.changed, adopted=adopted and self.state.started), ""
        self._owner.publish_later()
        crashing = behaviours.overridden(found, shared.world.overrides, self._owner.region, entry.version)
        return await run_once(shared, meta["namespace"], self._spec, values, image.command, crashing)

    def _entry(self, image: Image, values: Mapping[str, str], found: Behaviour) -> RunningPod:
        meta = self._owner.pod["metadata"]
        return RunningPod(
            uid=meta["uid"],
            name=meta["name"],
            namespace=meta["namespace"],
            region=self._owner.region,
            version=image.labels.get(VERSION, ""),
            environment=values.get("ENVIRONMENT", ""),
            behaviour=found,
            serving=False,
            commit=image.labels.get(COMMIT, ""),
            ports=tuple(sorted(set(ports_of(self._spec).values()))),
        )

    def _ended(self, code: int, message: str) -> None:
        began = self.state.state.get("running", {}).get("startedAt", now())
        self.state.state = terminated(code, began, now(), self.state.container_id, message)
        self.state.ready = self.state.started = False
        entry = self._owner.shared.world.pods.get(self._owner.pod["metadata"]["uid"])
        if self._main and entry is not None:
            entry.serving = False

    async def _back_off(self, seconds: float) -> None:
        """The first restart comes at once, as with kubelet; each further one waits longer."""
        ended = self.state.state
        if seconds:
            meta = self._owner.pod["metadata"]
            pod = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
            message = f"back-off {_duration(seconds)} restarting failed container={self.state.name} pod={pod}"
            self.state.state = waiting("CrashLoopBackOff", message)
            self.state.last = ended
            told = f"Back-off restarting failed container {self.state.name} in pod {pod}"
            self._owner.tell("BackOff", told, self.state.name)
        await self._owner.publish()
        await self._owner.shared.wait(seconds)
        self.state.last = ended


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
