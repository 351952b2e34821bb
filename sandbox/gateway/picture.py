"""The gateway's state for the page that shows the sandbox live: plain data, made for JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from release import names
from release.model import SLOTS
from sandbox.gateway.counters import Meter, Slice
from sandbox.gateway.model import EntryPoint, Pool
from sandbox.gateway.windows import recent, series
from sandbox.world import RunningPod

Counts = Mapping[Slice, tuple[int, int]]


def region(
    entries: Iterable[EntryPoint], meter: Meter, pods: Mapping[str, RunningPod], now: float, seconds: int
) -> dict[str, Any]:
    """One region, from its entry points: see `Gateway.snapshot` for the shape."""
    found = list(entries)
    web = next((entry for entry in found if entry.name == "web"), found[0])
    requests, errors = recent(meter, _web, 10.0, now)
    return {
        "region": web.region,
        "namespace": web.namespace,
        "ports": {entry.name: entry.port for entry in found},
        "routes": [_route(web, name, meter, pods, now) for name in dict.fromkeys(r.route for r in web.rules)],
        "requests": meter.users.requests,
        "errors": meter.users.errors,
        "error_rate": errors / requests if requests else 0.0,
        "series": [_second(at, counts) for at, counts in series(meter, seconds, now)],
    }


def _route(entry: EntryPoint, name: str, meter: Meter, pods: Mapping[str, RunningPod], now: float) -> dict[str, Any]:
    # The route's plain rule is the users'; a rule with a header is the testers'.
    rules = [rule for rule in entry.rules if rule.route == name]
    rule = min(rules, key=lambda each: len(each.match.headers))
    mode = rule.maintenance
    active = None if mode is None or mode.until <= now else ("block" if mode.block else "banner")
    return {
        "name": name,
        "maintenance": active,
        "slots": [_slot(name, pool, entry, meter, pods) for pool in rule.pools],
    }


def _slot(route: str, pool: Pool, entry: EntryPoint, meter: Meter, pods: Mapping[str, RunningPod]) -> dict[str, Any]:
    running = [pods[each.uid] for each in pool.endpoints if each.uid in pods]
    requests, errors = meter.tally.get(Slice(entry.name, route, pool.service), (0, 0))
    return {
        "slot": slot_of(route, pool.service),
        "service": pool.service,
        "weight": pool.weight,
        "ready": len(pool.endpoints),
        "versions": dict(Counter(pod.version for pod in running)),
        "requests": requests,
        "errors": errors,
    }


def _second(at: int, counts: Counts) -> dict[str, Any]:
    slots: dict[str, dict[str, int]] = {}
    total = {"requests": 0, "errors": 0}
    for each, (requests, errors) in counts.items():
        if each.entry != "web":
            continue
        one = slots.setdefault(slot_of(each.route, each.service), {"requests": 0, "errors": 0})
        for sums in (total, one):
            sums["requests"] += requests
            sums["errors"] += errors
    return {"t": at, **total, "slots": slots}


def slot_of(route: str, service: str) -> str:
    """`blue` or `green`; another Service's own name; `none` for what reached no Service."""
    for slot in SLOTS:
        if service == names.slot_release(route, slot):
            return slot
    return service or "none"


def _web(each: Slice) -> bool:
    return each.entry == "web"
