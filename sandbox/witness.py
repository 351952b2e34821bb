"""What is really live, read from helm, the API server and the registry, whatever a flow believes."""

from __future__ import annotations

import asyncio
from typing import Any

from clients.cluster import Cluster
from clients.helm import Helm, Place
from config import load
from release import health, names
from release.environment import Region
from release.errors import TidegateError
from tasks import context


async def regions(environment: str) -> dict[str, dict[str, Any]]:
    """Region name -> `version` (the registry's label of the digest that every Ready pod has; `mixed` where they
    differ, empty without one), `ready` pods, `digest`, `helm` (its newest revision and status)."""
    found = load.environment(environment).regions
    answers = await asyncio.gather(*(_region(region) for region in found.values()))
    return dict(zip(found, answers, strict=True))


async def _region(region: Region) -> dict[str, Any]:
    settings = load.settings()
    app, kubeconfig = settings.application.name, settings.kubeconfig.expanduser()
    async with Cluster(kubeconfig, region.context, region.namespace, switch=region.traffic) as cluster:
        state = await cluster.observe(app, region.name)
    slot = state.slot(state.live_slot)
    digests = sorted(health.ready_digests(slot.pods))
    helm = Helm(settings.helm, kubeconfig)
    history = await helm.history(Place(region.context, region.namespace), names.slot_release(app, state.live_slot))
    return {
        "version": await _version(digests),
        "ready": sum(pod.ready and not pod.terminating for pod in slot.pods),
        "digest": digests[0] if len(digests) == 1 else ", ".join(digests),
        "helm": f"revision {history[-1].revision} {history[-1].status}" if history else "",
    }


async def _version(digests: list[str]) -> str:
    if len(digests) != 1:
        return "mixed" if digests else ""
    async with await context.registry() as registry:
        try:
            return (await registry.labels(digests[0])).get("org.opencontainers.image.version", "unknown")
        except TidegateError:
            return "unknown"
