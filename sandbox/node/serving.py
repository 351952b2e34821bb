"""One run of an application's container: it starts, is probed, changes, and perhaps ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from sandbox.node import behaviour as behaviours
from sandbox.node.checks import NEVER, Checks
from sandbox.node.owner import Owner
from sandbox.node.probes import Application, ports_of, probes_of
from sandbox.node.status import ContainerState
from sandbox.world import Behaviour, RunningPod

CRASH_AFTER = 0.05
KILLED = 137


class Serving:
    """`found` is the image's own behaviour; `entry` is what the gateway sees of the pod.

    `adopted` marks a container that ran before the node did. `changed` wakes it when behaviours were changed.
    """

    def __init__(
        self, owner: Owner, spec: Mapping[str, Any], state: ContainerState, entry: RunningPod, found: Behaviour
    ) -> None:
        self._owner, self._spec, self._state = owner, spec, state
        self._entry, self._found = entry, found
        self._ports = ports_of(spec)
        self._seen: tuple[bool, Behaviour] | None = None

    async def run(self, changed: asyncio.Event, *, adopted: bool) -> int:
        """Until the container ends; its exit code."""
        speed = self._owner.shared.world.speed
        began = -NEVER if adopted else time.monotonic()
        checks = Checks(probes_of(self._spec), began, 0.0 if adopted else self._behaviour().ready_after, speed)
        while True:
            changed.clear()
            behaviour = self._behaviour()
            if behaviour.crashes:
                self._entry.serving = False
                await self._owner.shared.wait(CRASH_AFTER)
                return behaviour.crash_code
            up_at = began + behaviour.ready_after / speed
            up = self._look(checks, behaviour, up_at)
            if checks.killed:
                self._tell("Killing", f"Container {self._state.name} {checks.killed}", normal=True)
                return KILLED
            await self._report(checks)
            await _sleep(min(checks.next(), NEVER if up else up_at) - time.monotonic(), changed)

    def _behaviour(self) -> Behaviour:
        overrides = self._owner.shared.world.overrides
        return behaviours.overridden(self._found, overrides, self._owner.region, self._entry.version)

    def _look(self, checks: Checks, behaviour: Behaviour, up_at: float) -> bool:
        """Asks the probes that are due; whether the application is up."""
        moment = time.monotonic()
        up = moment >= up_at
        self._entry.behaviour, self._entry.serving = behaviour, up
        if self._seen != (up, behaviour):
            self._seen = (up, behaviour)
            checks.hurry(moment)
        for failure in checks.ask(moment, Application(up, behaviour, self._owner.address, self._ports)):
            self._tell("Unhealthy", failure)
        return up

    async def _report(self, checks: Checks) -> None:
        changed = self._state.ready != checks.ready
        self._state.started, self._state.ready = checks.started, checks.ready
        if changed:
            await self._owner.publish()
        else:
            self._owner.publish_later()

    def _tell(self, reason: str, message: str, *, normal: bool = False) -> None:
        self._owner.tell(reason, message, self._state.name, normal=normal)


async def _sleep(seconds: float, changed: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(None if seconds == NEVER else max(seconds, 0)):
            await changed.wait()
    except TimeoutError:
        return
