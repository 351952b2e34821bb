"""One container's life: image, configuration, run, back-off, again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Protocol

from sandbox.node import behaviour as behaviours
from sandbox.node.checks import NEVER, Checks
from sandbox.node.environment import ConfigError, needed, resolve
from sandbox.node.events import now
from sandbox.node.images import Image, PullError
from sandbox.node.job import run_once
from sandbox.node.probes import Application, ports_of, probes_of
from sandbox.node.shared import Shared
from sandbox.node.status import ContainerState, terminated, waiting
from sandbox.world import Behaviour, RunningPod

CRASH_AFTER = 0.05
CONFIG_AGAIN = 2.0
BACK_OFF = 10.0
LONGEST_BACK_OFF = 300.0
STABLE_AFTER = 600.0
VERSION = "org.opencontainers.image.version"
COMMIT = "org.opencontainers.image.revision"


class Owner(Protocol):
    """The pod, as its containers see it."""

    pod: dict[str, Any]
    region: str
    address: str
    shared: Shared

    async def publish(self) -> None: ...
    def publish_later(self) -> None: ...
    def tell(self, reason: str, message: str, container: str, *, normal: bool = False) -> None: ...


class ContainerLife:
    """Runs a container until it ends for good. `serves` is the pod's entry for the gateway, once it runs."""

    def __init__(
        self, owner: Owner, spec: Mapping[str, Any], state: ContainerState, *, initial: bool, main: bool
    ) -> None:
        self._owner = owner
        self._shared = owner.shared
        self._spec = spec
        self.state = state
        self._initial = initial
        self._main = main
        self._policy = owner.pod["spec"].get("restartPolicy", "Always")
        self._adopted = "running" in state.state
        self.changed = asyncio.Event()

    async def run(self) -> None:
        """Returns when the container will not run again."""
        image = await self._pull()
        back_off = 0.0
        while True:
            values, found = await self._configure(image)
            began = time.monotonic()
            code, message = await self._once(image, values, found)
            self._ended(code, message)
            if not self._again(code):
                self.state.final = True
                await self._owner.publish()
                return
            if time.monotonic() - began > STABLE_AFTER / self._shared.world.speed:
                back_off = 0.0
            await self._back_off(back_off)
            back_off = min(back_off * 2, LONGEST_BACK_OFF) or BACK_OFF
            self.state.restarts += 1

    def _again(self, code: int) -> bool:
        if self._policy == "Always" and not self._initial:
            return True
        return code != 0 and self._policy != "Never"

    async def _pull(self) -> Image:
        back_off = BACK_OFF
        while True:
            try:
                image = await self._shared.images.image(self._spec["image"])
            except PullError as error:
                if self._adopted:
                    await asyncio.sleep(0.5)  # it runs already: only what it is has to be looked up again
                    continue
                await self._not_pulled(error, back_off)
                back_off = min(back_off * 2, LONGEST_BACK_OFF)
            else:
                if not self._adopted:
                    self._tell("Pulled", f'Successfully pulled image "{self._spec["image"]}"', normal=True)
                self.state.image_id = image.id
                return image

    async def _not_pulled(self, error: PullError, back_off: float) -> None:
        name = self._spec["image"]
        self.state.state = waiting(error.reason, str(error))
        self._tell("Failed", f'Failed to pull image "{name}": {error}')
        self._tell("Failed", f"Error: {error.reason}")
        await self._owner.publish()
        if error.reason == "ErrImagePull":
            await self._shared.wait(0.5)
            self.state.state = waiting("ImagePullBackOff", f'Back-off pulling image "{name}": ErrImagePull: {error}')
            self._tell("BackOff", f'Back-off pulling image "{name}"', normal=True)
            await self._owner.publish()
        await self._shared.wait(back_off)

    async def _configure(self, image: Image) -> tuple[dict[str, str], Behaviour]:
        while True:
            try:
                found = behaviours.from_labels(image.labels, self._owner.region)
                objects = {key: await self._object(*key) for key in needed(self._spec)}
                return resolve(self._spec, image.env, objects, self._owner.pod), found
            except (ConfigError, ValueError) as error:
                self.state.state = waiting("CreateContainerConfigError", str(error))
                self._tell("Failed", f"Error: {error}")
                await self._owner.publish()
                await self._shared.wait(CONFIG_AGAIN)

    async def _object(self, kind: str, name: str) -> dict[str, Any] | None:
        namespace = self._owner.pod["metadata"]["namespace"]
        status, found = await self._shared.api.insist("GET", f"/api/v1/namespaces/{namespace}/{kind.lower()}s/{name}")
        return found if status == 200 else None

    async def _once(self, image: Image, values: Mapping[str, str], found: Behaviour) -> tuple[int, str]:
        """One run of it: exit code and message."""
        if not self._adopted:
            self.state.state = {"running": {"startedAt": now()}}
            self.state.container_id = (
                f"containerd://{self._owner.pod['metadata']['uid'].replace('-', '')}{self._mark()}"
            )
        entry = self._entry(image, values, found)
        if self._initial or self._policy != "Always":
            self._owner.publish_later()
            namespace = self._owner.pod["metadata"]["namespace"]
            crashing = self._behaviour(found, entry)
            return await run_once(self._shared, namespace, self._spec, values, image.command, crashing)
        return await self._serve(entry, found)

    def _mark(self) -> str:
        return f"{self.state.name}{self.state.restarts}".encode().hex()[:32]

    def _entry(self, image: Image, values: Mapping[str, str], found: Behaviour) -> RunningPod:
        meta = self._owner.pod["metadata"]
        entry = RunningPod(
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
        if not self._main:
            return entry
        return self._shared.world.pods.setdefault(meta["uid"], entry)

    def _behaviour(self, found: Behaviour, entry: RunningPod) -> Behaviour:
        return behaviours.overridden(found, self._shared.world.overrides, self._owner.region, entry.version)

    async def _serve(self, entry: RunningPod, found: Behaviour) -> tuple[int, str]:
        speed = self._shared.world.speed
        up_already = self._adopted and self.state.started
        self._adopted = False
        began = -NEVER if up_already else time.monotonic()
        takes = 0.0 if up_already else self._behaviour(found, entry).ready_after
        checks = Checks(probes_of(self._spec), began, takes, speed)
        before: tuple[bool, Behaviour] | None = None
        while True:
            self.changed.clear()
            behaviour = self._behaviour(found, entry)
            if behaviour.crashes:
                entry.serving = False
                await self._shared.wait(CRASH_AFTER)
                return behaviour.crash_code, ""
            moment = time.monotonic()
            up_at = began + behaviour.ready_after / speed
            up = moment >= up_at
            entry.behaviour, entry.serving = behaviour, up
            if before != (up, behaviour):
                checks.hurry(moment)
            before = (up, behaviour)
            self._check(checks, moment, Application(up, behaviour, self._owner.address, ports_of(self._spec)))
            if checks.killed:
                return 137, ""
            await self._report(checks)
            await self._sleep(min(checks.next(), NEVER if up else up_at) - time.monotonic())

    def _check(self, checks: Checks, moment: float, application: Application) -> None:
        for failure in checks.ask(moment, application):
            self._tell("Unhealthy", failure)
        if checks.killed:
            self._tell("Killing", f"Container {self.state.name} {checks.killed}", normal=True)

    async def _report(self, checks: Checks) -> None:
        if self.state.ready != checks.ready:
            self.state.started, self.state.ready = checks.started, checks.ready
            await self._owner.publish()
        else:
            self.state.started = checks.started
            self._owner.publish_later()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(None if seconds == NEVER else max(seconds, 0)):
                await self.changed.wait()
        except TimeoutError:
            return

    def _ended(self, code: int, message: str) -> None:
        began = self.state.state.get("running", {}).get("startedAt", now())
        self.state.state = terminated(code, began, now(), self.state.container_id, message)
        self.state.ready = self.state.started = False
        entry = self._shared.world.pods.get(self._owner.pod["metadata"]["uid"])
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
            self._tell("BackOff", f"Back-off restarting failed container {self.state.name} in pod {pod}")
            self.state.last = ended
        await self._owner.publish()
        await self._shared.wait(seconds)
        self.state.last = ended

    def _tell(self, reason: str, message: str, *, normal: bool = False) -> None:
        self._owner.tell(reason, message, self.state.name, normal=normal)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
