"""What a sandbox tells others about itself: the settings' addresses, and state.json."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sandbox import overlay, state
from sandbox.outside import REPOSITORY

if TYPE_CHECKING:
    from sandbox.supervisor import Sandbox


def addresses(sandbox: Sandbox) -> overlay.Addresses:
    """Everything that the settings are told."""
    outside = sandbox.outside
    return overlay.Addresses(
        kubeconfig=sandbox.kubeconfig,
        helm=str(sandbox.helm),
        registry=outside.public("registry"),
        username="tidegate",
        git=f"{outside.public('git')}/shop.git",
        github=outside.public("github"),
        repository=REPOSITORY,
        slack=outside.public("slack"),
        backup=outside.public("backup") + "/backup",
        monitoring=outside.public("monitoring"),
        prometheus=outside.public("prometheus") if sandbox.options.prometheus else None,
        monitoring_webhook=outside.public("monitoring-webhook") + "/monitoring",
        builder="engine" if outside.engine.host else "archive",
        engine=outside.engine.host,
        prefect=sandbox.prefect.api if sandbox.options.prefect else None,
        database=sandbox.prefect.database if sandbox.options.prefect else None,
        speed=sandbox.options.speed,
        service=urlsplit(sandbox.serving.url).port or 0,
        regions=tuple(place.address() for place in sandbox.places),
    )


def record(sandbox: Sandbox, phase: state.Phase, *, error: str = "", ready_after: float = 0.0) -> None:
    """Write state.json: `error` is why the start failed, `ready_after` seconds."""
    sandbox.phase = phase
    pids = {**sandbox.cluster.pids, **sandbox.outside.pids}
    if sandbox.prefect.pid is not None:
        pids["prefect-server"] = sandbox.prefect.pid
    if sandbox.prometheus.pid is not None:
        pids["prometheus"] = sandbox.prometheus.pid
    if sandbox.serving.pid is not None:
        pids["serve"] = sandbox.serving.pid
    found = state.State(
        pid=os.getpid(),
        started=sandbox.started,
        phase=phase,
        control=sandbox.control_url,
        kubeconfig=str(sandbox.kubeconfig),
        kubectl=str(sandbox.kubectl),
        speed=sandbox.world.speed,
        error=error,
        ready_after=round(ready_after, 2),
        parts=sandbox.progress.parts,
        processes=tuple(state.process(name, pid) for name, pid in pids.items()),
    )
    state.write(sandbox.home, found)
