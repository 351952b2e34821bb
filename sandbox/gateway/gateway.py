"""The simulated gateway as a whole: what starts, what stops, and what the rest of the sandbox asks of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from kubernetes.aio import client

from sandbox.admin import Admin
from sandbox.gateway import counters, picture, split
from sandbox.gateway.cluster import Cluster
from sandbox.gateway.fetch import Inside
from sandbox.gateway.model import EntryPoint
from sandbox.gateway.monitoring import KEEP, Monitoring
from sandbox.gateway.reporter import Reporter
from sandbox.gateway.sockets import Sockets
from sandbox.gateway.traffic import Traffic
from sandbox.gateway.users import Arrivals, Users
from sandbox.world import World

log = logging.getLogger(__name__)

CLASS = "tidegate-sandbox"
SAMPLE = 0.5
FIRST = 30.0


class Gateway:
    """The data plane of the Gateways of class `gateway_class`, and the users behind it.

    `lag` (seconds) is how long a change of a route or of endpoints takes to be in force. `split` is `smooth`
    (exact shares) or `random` (with `seed`), `arrivals` `even` or `poisson`, `rate` users a second and region
    (times the world's speed), `patience` how long a user waits, in seconds. `users` sets rates while it runs;
    `monitoring.address` is the URL of /metrics and /api/error-rate, and `monitoring.freeze` makes it lie.
    """

    def __init__(
        self,
        admin: Admin,
        world: World,
        *,
        lag: float = 0.25,
        split_by: split.Kind = "smooth",
        arrivals: Arrivals = "even",
        rate: float = 50.0,
        patience: float = 10.0,
        seed: int | None = None,
        buckets: Sequence[float] = counters.TRAEFIK_BUCKETS,
        gateway_class: str = CLASS,
    ) -> None:
        self.lag = lag
        self.traffic = Traffic(world, split.of(split_by, seed), bounds=buckets)
        self.users = Users(self.traffic, rate=rate, arrivals=arrivals, patience=patience, seed=seed)
        self.monitoring = Monitoring(self.traffic.meters, self.traffic.clock)
        self._admin, self._world, self._class = admin, world, gateway_class
        self._stack = contextlib.AsyncExitStack()
        self._jobs: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Read the cluster, open the sockets, let users in. TimeoutError when the API server does not answer."""
        api: client.ApiClient = await self._stack.enter_async_context(self._admin.client())
        self._cluster, self._sockets = Cluster(api, self._class), Sockets(self.traffic)
        self._reporter = Reporter(api, self._cluster, self.traffic.tables, self._sockets.failed)
        self._stack.push_async_callback(self._sockets.stop)
        self._stack.push_async_callback(self.monitoring.stop)
        await self._sockets.start()
        await self.monitoring.start()
        for each in self._cluster.following():
            self._run(each)
        await asyncio.wait_for(self._cluster.synced(), FIRST)
        await asyncio.gather(self._apply(), self._reporter.accept(self._class))
        for job in (self._follow(), self._reporter.run(), self._sample(), self.users.run()):
            self._run(job)
        self._world.fetch = Inside(self.traffic).fetch

    async def stop(self) -> None:
        """Close the sockets and end every job."""
        self._world.fetch = None
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        await self._stack.aclose()

    def snapshot(self, seconds: int = 60) -> list[dict[str, Any]]:
        """Each region, for drawing, by name: `region`, `namespace`, `ports` (listener -> port), `requests` and
        `errors` (the users', since the start), `error_rate` (0 to 1, last 10 s), `routes` of the web listener
        (`name`, `maintenance`: None, banner or block, `slots`: `slot`, `service`, `weight`, `ready`,
        `versions`: version -> pods, `requests`, `errors`) and `series` of the last `seconds`, one entry a
        second, oldest first: `t` (epoch), `requests`, `errors`, `slots` (slot -> requests and errors).
        """
        regions: dict[str, list[EntryPoint]] = {}
        for entry in self.traffic.entries.values():
            regions.setdefault(entry.region, []).append(entry)
        now, pods, meters = time.time(), self._world.pods, self.traffic.meters
        return [picture.region(regions[name], meters[name], pods, now, seconds) for name in sorted(regions)]

    def totals(self, region: str) -> counters.Users:
        """What the region's simulated users got since the start, by code, cause and Service."""
        return self.traffic.meter(region).users

    def _run(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(job)
        task.add_done_callback(_tell)
        self._jobs.append(task)

    async def _follow(self) -> None:
        while True:
            await self._cluster.woken.wait()
            await asyncio.sleep(self.lag)
            await self._apply()

    async def _apply(self) -> None:
        changed = self._cluster.take()
        for namespace in changed:
            region = self._world.regions.get(namespace, namespace)
            try:
                self.traffic.install(namespace, self._cluster.table(namespace, region))
            except (KeyError, TypeError, ValueError):
                log.exception(
                    "namespace %s has something that the gateway cannot read; the last state stays", namespace
                )
        await self._sockets.listen(self.traffic.entries)
        self._reporter.failed = self._sockets.failed
        self._reporter.report(changed)

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(SAMPLE)
            for meter in self.traffic.meters.values():
                meter.sample(time.time(), KEEP + 2 * SAMPLE)


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a job of the simulated gateway ended", exc_info=error)
