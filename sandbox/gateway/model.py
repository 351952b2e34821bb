"""What the data plane works with: a routing table made of plain frozen data, a request, and its reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from sandbox.world import Answer

_NOTHING: Mapping[str, str] = MappingProxyType({})

# Who made the answer. `application`: a pod, good or bad. `ended`: 502, the pod is gone but still routed.
# `unready`: 503, no ready pod. `missing`: 500, no such Service, or no weight at all. `unrouted`: 404.
# `maintenance`: 503, blocked on purpose. `impatient`: 499, the user left before the answer came.
Cause = Literal["application", "ended", "unready", "missing", "unrouted", "maintenance", "impatient"]


def _nothing() -> Mapping[str, str]:
    return _NOTHING


@dataclass(frozen=True, slots=True)
class Request:
    """A user's request. Names in `headers` are lower-case; `host` has no port."""

    path: str = "/"
    method: str = "GET"
    host: str = ""
    headers: Mapping[str, str] = field(default_factory=_nothing)
    query: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Match:
    """One `matches` entry of a rule: everything named must fit."""

    path: str = "/"
    kind: Literal["prefix", "exact", "regex"] = "prefix"
    method: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A routed pod and the port it is asked at."""

    uid: str
    port: int


@dataclass(frozen=True, slots=True)
class Pool:
    """A Service's port as a route sees it. `problem` is why it cannot be resolved, None when it can."""

    service: str
    label: str
    weight: int
    endpoints: tuple[Endpoint, ...] = ()
    problem: str | None = None
    reason: str = "BackendNotFound"


@dataclass(frozen=True, slots=True)
class Maintenance:
    """The route's maintenance mode: it lapses at `until` (seconds since the epoch)."""

    until: float
    block: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One match of one rule of a route at one entry point. `router` and `balancer` are its names in the counters."""

    route: str
    router: str
    balancer: str
    hosts: tuple[str, ...]
    match: Match
    pools: tuple[Pool, ...]
    weights: tuple[int, ...]
    maintenance: Maintenance | None = None


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A listener of a Gateway: `rules` in the order in which they are tried."""

    region: str
    namespace: str
    gateway: str
    name: str
    port: int
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A Service's port as a pod sees it through kube-proxy."""

    port: int
    endpoints: tuple[Endpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Everything of one namespace: entry points, and Services by name."""

    entries: tuple[EntryPoint, ...] = ()
    services: Mapping[str, tuple[ServicePort, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class Reply:
    """What a request gets, and where it is counted. `pool` is None when no Service was chosen."""

    answer: Answer
    cause: Cause
    rule: Rule | None = None
    pool: Pool | None = None
    pod: str | None = None
    headers: Mapping[str, str] = field(default_factory=_nothing)

    @property
    def by_service(self) -> bool:
        """Whether a real gateway's per-service counters see it: only what was sent to a pod."""
        return self.cause in ("application", "ended", "impatient")
