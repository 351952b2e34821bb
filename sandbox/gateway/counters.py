"""What a region's gateway counts: Traefik's three levels, and a tally per Service for windows and pictures."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sandbox.gateway.model import EntryPoint, Reply, Request

TRAEFIK_BUCKETS = (0.1, 0.3, 1.2, 5.0)
METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"])


class Series:
    """One label set: how many requests, how long they took in all (seconds), and how many per bucket."""

    __slots__ = ("buckets", "count", "seconds")

    def __init__(self, bounds: int) -> None:
        self.count, self.seconds = 0, 0.0
        self.buckets = [0] * (bounds + 1)


class Slice(NamedTuple):
    """What is tallied together. `service` is the Service that was chosen, "" where none was."""

    entry: str
    route: str
    service: str


@dataclass(slots=True)
class Users:
    """What users got, by cause, by code and by Service: requests, and those of them that a user calls an error."""

    requests: int = 0
    errors: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    services: Counter[tuple[str, str]] = field(default_factory=Counter)


Levels = dict[tuple[str, ...], Series]


class Meter:
    """The counters of one region. They only grow, but for `forget`, as after a gateway's restart."""

    def __init__(self, bounds: Sequence[float] = TRAEFIK_BUCKETS) -> None:
        self.bounds = tuple(bounds)
        self.forget()

    def forget(self) -> None:
        """Start from zero."""
        self.entrypoints: Levels = {}
        self.routers: Levels = {}
        self.services: Levels = {}
        self.tally: dict[Slice, list[int]] = {}
        self.users = Users()
        self.ring: deque[tuple[float, tuple[int, ...]]] = deque()

    def count(self, entry: EntryPoint, request: Request, reply: Reply, status: int, seconds: float) -> None:
        """One finished request, at every level that a real gateway counts it at."""
        code, rule, pool = str(status), reply.rule, reply.pool
        method = request.method if request.method in METHODS else "EXTENSION_METHOD"
        self._add(self.entrypoints, (code, method, "http", entry.name), seconds)
        if rule is not None:
            self._add(self.routers, (code, method, "http", rule.router, rule.balancer), seconds)
        if pool is not None and reply.by_service:
            self._add(self.services, (code, method, "http", pool.label), seconds)
        key = Slice(entry.name, rule.route if rule else "", pool.service if pool else "")
        known = self.tally.get(key)
        if known is None:
            known = self.tally[key] = [0, 0]
        known[0] += 1
        known[1] += status >= 500

    def count_user(self, reply: Reply, status: int) -> None:
        """The same request, as one of the simulated users saw it: no page is an error too."""
        users, failed = self.users, status >= 400
        users.requests += 1
        users.errors += failed
        users.codes[status] += 1
        if failed:
            users.causes[reply.cause] += 1
            users.services[reply.pool.service if reply.pool else "", reply.cause] += 1

    def sample(self, now: float, keep: float) -> None:
        """Remember the tally at `now`, for windows of up to `keep` seconds."""
        # New slices come last in a dict, so an older sample is a prefix of a newer one.
        self.ring.append((now, tuple(number for pair in self.tally.values() for number in pair)))
        while self.ring[0][0] < now - keep:
            self.ring.popleft()

    def _add(self, level: Levels, labels: tuple[str, ...], seconds: float) -> None:
        series = level.get(labels)
        if series is None:
            series = level[labels] = Series(len(self.bounds))
        series.count += 1
        series.seconds += seconds
        series.buckets[bisect_left(self.bounds, seconds)] += 1
