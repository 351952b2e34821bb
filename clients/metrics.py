"""Where a gateway's counters are read: two methods, behind which a provider can be changed.

Names and labels are Traefik's for Gateway API resources; `Target` holds them, so that another gateway's fit too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import NamedTuple, Protocol

from release.errors import Unavailable
from release.verdict.counts import Counts, Rate, Sample

SERVICE, ROUTER, ENTRY = "service", "router", "entrypoint"
ERRORS = r"5\d\d|499"
PROVIDER = "@kubernetesgateway"


@dataclass(frozen=True, slots=True)
class Target:
    """What is judged in a region: the Services of both versions, the route and the entry point, by their labels.

    `router` is the beginning of the routers' names, `labels` what every series must have besides, `errors` a
    pattern of the codes that are errors: server errors, and clients that gave up waiting (499).
    """

    region: str
    application: str
    canary: str
    stable: str
    router: str
    entry: str = "web"
    labels: Mapping[str, str] = field(default_factory=dict)
    errors: str = ERRORS


class Provider(Protocol):
    """A source of metrics. Both methods raise Unavailable where it does not answer or has nothing on the target,
    Refused where it cannot be asked so."""

    async def sample(self, target: Target) -> Sample:
        """The counters as they are now."""

    async def rate(self, target: Target, seconds: float) -> Rate:
        """The application's errors a request over the last `seconds`, of both versions together."""


class Point(NamedTuple):
    """One number of a series; `at` in seconds since the epoch, None where the provider did not say."""

    name: str
    labels: Mapping[str, str]
    value: float
    at: float | None


def traefik(
    region: str,
    application: str,
    namespace: str,
    canary: str,
    stable: str,
    *,
    port: int = 80,
    entry: str = "web",
    labels: Mapping[str, str] | None = None,
) -> Target:
    """The target under Traefik's names. `canary` and `stable` are Services, `application` is the HTTPRoute too."""
    return Target(
        region=region,
        application=application,
        canary=_normal(f"{namespace}-{canary}-http-{port}") + PROVIDER,
        stable=_normal(f"{namespace}-{stable}-http-{port}") + PROVIDER,
        router=_normal(f"httproute-{namespace}-{application}") + "-gw-",
        entry=entry,
        labels=dict(labels or {}),
    )


def sample_of(points: Iterable[Point], target: Target, read_at: float) -> Sample:
    """The target's counters among `points`. Raises Unavailable where neither version was ever counted."""
    tallies = {key: _Tally(re.compile(target.errors)) for key in ("canary", "stable", ROUTER, ENTRY)}
    newest: float | None = None
    for point in points:
        key = _whose(point, target)
        if key is None:
            continue
        tallies[key].add(point)
        if point.at is not None:
            newest = point.at if newest is None else max(newest, point.at)
    canary, stable, route, entry = tallies.values()
    if not any(tally.found for tally in tallies.values()):
        raise Unavailable(
            f"The metrics hold nothing on {target.application}.",
            region=target.region,
            next_step="Check that the gateway counts by service and router, and the names and labels it uses.",
        )
    bounds = tuple(sorted(set(canary.within) | set(stable.within)))
    return Sample(
        at=read_at if newest is None else newest,
        canary=canary.counts(bounds),
        stable=stable.counts(bounds),
        route=route.counts(()) if route.found else None,
        entry=entry.counts(()) if entry.found else None,
        bounds=bounds,
    )


class _Tally:
    """The sums over a version's series: codes, methods, protocols and the gateway's replicas."""

    def __init__(self, errors: re.Pattern[str]) -> None:
        self.found = False
        self.within: dict[float, float] = {}
        self._requests = self._failed = 0.0
        self._errors = errors

    def add(self, point: Point) -> None:
        self.found = True
        if not isfinite(point.value):
            return
        if not point.name.endswith("_bucket"):
            self._requests += point.value
            self._failed += point.value if self._errors.fullmatch(point.labels.get("code", "")) else 0.0
        elif (bound := float(point.labels.get("le", "inf"))) != float("inf"):
            self.within[bound] = self.within.get(bound, 0.0) + point.value

    def counts(self, bounds: tuple[float, ...]) -> Counts:
        within = tuple(round(self.within.get(bound, 0.0)) for bound in bounds) if self.within else ()
        return Counts(round(self._requests), round(self._failed), within)


def _whose(point: Point, target: Target) -> str | None:
    labels = point.labels
    if any(labels.get(name) != value for name, value in target.labels.items()):
        return None
    if point.name.startswith(f"traefik_{SERVICE}_"):
        return {target.canary: "canary", target.stable: "stable"}.get(labels.get("service", ""))
    if point.name == f"traefik_{ROUTER}_requests_total":
        router = labels.get("router", "")
        return ROUTER if router.startswith(target.router) and f"-ep-{target.entry}-" in router else None
    if point.name == f"traefik_{ENTRY}_requests_total":
        return ENTRY if labels.get("entrypoint") == target.entry else None
    return None


def _normal(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z]+", "-", name).strip("-")
