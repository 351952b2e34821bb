"""From what the API server holds to a routing table: pure, one namespace at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.gateway import backends, labels, plain
from sandbox.gateway.maintenance import maintenance
from sandbox.gateway.model import EntryPoint, Match, Pool, Rule, ServicePort, Table

Object = Mapping[str, Any]
KINDS = {"PathPrefix": "prefix", "Exact": "exact", "RegularExpression": "regex"}


def build(
    namespace: str, region: str, gateways: Sequence[Object], routes: Sequence[Object], found: backends.Found
) -> Table:
    """The table of `namespace`, from its Gateways (of our class only), HTTPRoutes, Services and EndpointSlices."""
    entries = tuple(
        _entry(namespace, region, gateway, listener, routes, found)
        for gateway in gateways
        for listener in gateway["spec"]["listeners"]
    )
    return Table(entries, _services(namespace, found))


def attaches(route: Object, parent: Object, gateway: Object, listener: Object) -> bool:
    """Whether a route's parentRef names this listener. Routes of other namespaces never attach."""
    meta = gateway["metadata"]
    return bool(
        parent.get("kind", "Gateway") == "Gateway"
        and parent["name"] == meta["name"]
        and parent.get("namespace", route["metadata"]["namespace"]) == meta["namespace"]
        and parent.get("sectionName", listener["name"]) == listener["name"]
        and parent.get("port", listener["port"]) == listener["port"]
    )


def hosts(listener: Object, route: Object) -> tuple[str, ...] | None:
    """The host names that both sides accept; () is any, None is none in common."""
    own, wanted = listener.get("hostname"), tuple(route["spec"].get("hostnames", ()))
    if not own:
        return wanted
    if not wanted:
        return (own,)
    common = tuple(host for host in wanted if _covers(own, host)) or ((own,) if any(map(_wild(own), wanted)) else ())
    return common or None


def _covers(own: str, host: str) -> bool:
    return own == host or (own.startswith("*.") and host.endswith(own[1:]))


def _wild(own: str) -> Any:
    return lambda host: _covers(host, own)


def _entry(
    namespace: str, region: str, gateway: Object, listener: Object, routes: Sequence[Object], found: backends.Found
) -> EntryPoint:
    name, rules = gateway["metadata"]["name"], []
    for route in routes:
        names = hosts(listener, route)
        if names is None or not any(attaches(route, p, gateway, listener) for p in route["spec"].get("parentRefs", ())):
            continue
        rules += _rules(namespace, name, listener["name"], names, route, found)
    # Python's sort is stable, so equals stay in the order of creation, name and position.
    rules.sort(key=lambda ranked: ranked[0], reverse=True)
    attached = tuple(r for _, r in rules) or plain.rules(namespace, name, listener["name"], found)
    return EntryPoint(region, namespace, name, listener["name"], listener["port"], attached)


def _rules(
    namespace: str, gateway: str, entry: str, names: tuple[str, ...], route: Object, found: backends.Found
) -> list[tuple[tuple[int, ...], Rule]]:
    """Each match of each rule of a route, with its rank."""
    name, mode, result = route["metadata"]["name"], maintenance(route["metadata"]), []
    for index, rule in enumerate(route["spec"].get("rules", ())):
        pools = tuple(backends.pool(namespace, ref, found) for ref in rule.get("backendRefs", ()))
        for match in map(_match, rule.get("matches") or ({},)):
            router = labels.router(namespace, name, gateway, entry, index, labels.rule_text(names, match))
            weights = tuple(pool.weight for pool in pools)
            result.append(
                (rank(names, match), Rule(name, router, labels.balancer(router), names, match, pools, weights, mode))
            )
    return result


def rank(names: tuple[str, ...], match: Match) -> tuple[int, ...]:
    """Gateway API's precedence: longest host, exact path, longest path, method, most headers, most parameters."""
    length = max((len(name) for name in names), default=0)
    exact = match.kind == "exact"
    return (length, exact, len(match.path), match.method is not None, len(match.headers), len(match.query))


def _match(spec: Object) -> Match:
    path = spec.get("path", {})
    return Match(
        path.get("value", "/"),
        KINDS[path.get("type", "PathPrefix")],  # type: ignore[arg-type]
        spec.get("method"),
        tuple((header["name"], header["value"]) for header in spec.get("headers", ())),
        tuple((parameter["name"], parameter["value"]) for parameter in spec.get("queryParams", ())),
    )


def _services(namespace: str, found: backends.Found) -> dict[str, tuple[ServicePort, ...]]:
    return {
        name: tuple(
            ServicePort(port["port"], backends.endpoints(namespace, name, port, found))
            for port in service["spec"].get("ports", ())
        )
        for (where, name), service in found.services.items()
        if where == namespace
    }


def unresolved(table: Table, route: str) -> Pool | None:
    """A backend of `route` that cannot be resolved, for its status; None when all can."""
    return next(
        (
            pool
            for entry in table.entries
            for rule in entry.rules
            if rule.route == route
            for pool in rule.pools
            if pool.problem is not None
        ),
        None,
    )
