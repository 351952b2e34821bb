"""Where every request goes through, a user's and a socket's alike: the tables in force, and the counters."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sandbox.gateway.counters import TRAEFIK_BUCKETS, Meter
from sandbox.gateway.model import EntryPoint, Reply, Request, Table
from sandbox.gateway.routing import decide
from sandbox.gateway.split import Split
from sandbox.world import World

EMPTY = Table()


class Traffic:
    """`clock` gives seconds since the epoch."""

    def __init__(
        self,
        world: World,
        split: Split,
        *,
        bounds: Sequence[float] = TRAEFIK_BUCKETS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.world, self.split, self.clock = world, split, clock
        self.tables: dict[str, Table] = {}
        self.entries: dict[int, EntryPoint] = {}
        self.meters: dict[str, Meter] = {}
        self._bounds = tuple(bounds)

    def install(self, namespace: str, table: Table) -> None:
        """Put a namespace's table in force."""
        self.tables[namespace] = table
        self.entries = {entry.port: entry for each in self.tables.values() for entry in each.entries}
        for entry in table.entries:
            self.meter(entry.region)

    def meter(self, region: str) -> Meter:
        """The region's counters, made on first use."""
        known = self.meters.get(region)
        if known is None:
            known = self.meters[region] = Meter(self._bounds)
        return known

    def arrive(self, entry: EntryPoint, request: Request) -> Reply:
        """Decide what a request gets. It is counted when it is over: call `finish` then."""
        world = self.world
        reply = decide(entry, request, now=self.clock(), split=self.split, pods=world.pods, overrides=world.overrides)
        pod = world.pods.get(reply.pod) if reply.pod is not None else None
        if pod is not None and reply.cause == "application":
            pod.requests += 1
            pod.errors += reply.answer.status >= 500
        return reply

    def finish(
        self, entry: EntryPoint, request: Request, reply: Reply, status: int, seconds: float, *, user: bool = False
    ) -> None:
        """Count a request that is over; `status` is 499 for someone who left before the answer."""
        meter = self.meters[entry.region]
        meter.count(entry, request, reply, status, seconds)
        if user:
            meter.count_user(reply, status)

    def leave(self, entry: EntryPoint, request: Request, reply: Reply, seconds: float, *, user: bool = False) -> None:
        """Count a request whose client left after `seconds`."""
        reply.cause = "impatient"
        self.finish(entry, request, reply, 499, seconds, user=user)
