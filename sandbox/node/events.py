"""Kubernetes Events, so that `kubectl describe` tells the story: written when there is time, else dropped."""

from __future__ import annotations

import asyncio
import hashlib
import time
from datetime import UTC, datetime

from sandbox.node.api import MERGE, Api, Away, Json

LATER = 0.7
"""Seconds that good news wait: a roll-out under way needs the API server more."""
_KEPT = 2000


class Events:
    """A queue of Events that one writer empties; the same one again raises its count."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._queue: asyncio.Queue[tuple[float, str, Json]] = asyncio.Queue(_KEPT)
        self._counts: dict[str, int] = {}

    def tell(self, pod: Json, reason: str, message: str, *, container: str = "", normal: bool = False) -> None:
        """Reports something about a pod, or about one of its containers; never waits, never fails."""
        meta = pod["metadata"]
        mark = hashlib.sha256(f"{meta['uid']}{reason}{message}{container}".encode()).hexdigest()[:16]
        event = {
            "metadata": {"name": f"{meta['name']}.{mark}", "namespace": meta["namespace"]},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": meta["name"],
                "namespace": meta["namespace"],
                "uid": meta["uid"],
            }
            | ({"fieldPath": f"spec.containers{{{container}}}"} if container else {}),
            "reason": reason,
            "message": message[:1024],
            "type": "Normal" if normal else "Warning",
            "source": {"component": "default-scheduler" if reason == "FailedScheduling" else "kubelet"},
        }
        if not self._queue.full():
            self._queue.put_nowait((time.monotonic() + (LATER if normal else 0), now(), event))

    async def write(self) -> None:
        """Empties the queue until it is cancelled."""
        while True:
            due, when, event = await self._queue.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            try:
                await self._write(when, event)
            except Away:
                continue  # an Event is a courtesy: the pod's status tells the same

    async def _write(self, when: str, event: Json) -> None:
        name, namespace = event["metadata"]["name"], event["metadata"]["namespace"]
        count = self._counts.pop(name, 0) + 1
        self._counts[name] = count
        if len(self._counts) > _KEPT:
            self._counts.pop(next(iter(self._counts)))
        path = f"/api/v1/namespaces/{namespace}/events"
        if count > 1:
            status, _ = await self._api.call("PATCH", f"{path}/{name}", {"count": count, "lastTimestamp": when}, MERGE)
            if status != 404:
                return
        await self._api.call("POST", path, event | {"count": count, "firstTimestamp": when, "lastTimestamp": when})


def now() -> str:
    """RFC 3339 in UTC, whole seconds, as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
