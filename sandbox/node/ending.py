"""How a pod ends: preStop pause, SIGTERM, and SIGKILL when the grace period is over."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.node.events import now
from sandbox.node.shared import Shared
from sandbox.node.status import ContainerState, terminated

DRAIN = 1.0
"""Seconds that a graceful application serves on after SIGTERM."""
_SLEEP = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?)")


def pause_of(container: Mapping[str, Any]) -> float:
    """Seconds of the container's preStop pause: `sleep.seconds`, or a `sleep N` in its exec command."""
    hook = (container.get("lifecycle") or {}).get("preStop") or {}
    if "sleep" in hook:
        return float(hook["sleep"].get("seconds") or 0)
    found = _SLEEP.search(" ".join((hook.get("exec") or {}).get("command") or ()))
    return float(found[1]) if found else 0.0


async def stop(shared: Shared, pod: Mapping[str, Any], states: Sequence[ContainerState]) -> None:
    """Ends the pod's containers within its grace period, a time-out that the sandbox's speed does not shorten."""
    grace = pod["metadata"].get("deletionGracePeriodSeconds")
    killed = False
    running = [one for one in states if "running" in one.state]
    if running:
        try:
            async with asyncio.timeout(30.0 if grace is None else float(grace)):
                await _ask_to_end(shared, pod)
        except TimeoutError:
            killed = True
    entry = shared.world.pods.get(pod["metadata"]["uid"])
    if entry is not None:
        entry.serving = entry.ready = False
    for one in states:
        if one.exit_code is None:
            began = one.state.get("running", {}).get("startedAt", now())
            code = 137 if killed or one not in running else 0
            one.state = terminated(code, began, now(), one.container_id)
        one.ready = one.started = False
        one.final = True


async def _ask_to_end(shared: Shared, pod: Mapping[str, Any]) -> None:
    # Not divided by the speed: the pause is there for the gateway's lag, which the speed does not shorten either.
    await asyncio.sleep(max(pause_of(container) for container in pod["spec"]["containers"]))
    entry = shared.world.pods.get(pod["metadata"]["uid"])
    if entry is None or not entry.serving:
        return
    if entry.behaviour.stops_at_sigterm:
        entry.serving = False
    else:
        await asyncio.sleep(DRAIN)
