"""The status that a gateway's controller owes its HTTPRoutes and Gateways. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.gateway.model import Table
from sandbox.gateway.table import attaches, hosts, unresolved

CONTROLLER = "tidegate.dev/sandbox-gateway"
GROUP = "gateway.networking.k8s.io"
Object = Mapping[str, Any]


def route_status(route: Object, gateways: Sequence[Object], table: Table, at: str) -> list[Object] | None:
    """The route's `status.parents` as they should be, or None when they are. `at` is the time, RFC 3339."""
    known = list(route.get("status", {}).get("parents", ()))
    ours = {gateway["metadata"]["name"]: gateway for gateway in gateways}
    parents = [p for p in known if p["controllerName"] != CONTROLLER]
    for parent in route["spec"].get("parentRefs", ()):
        gateway = ours.get(parent["name"])
        if gateway is None:
            continue
        old: Object = next((p for p in known if p["controllerName"] == CONTROLLER and p["parentRef"] == parent), {})
        new = [_accepted(route, parent, gateway), _resolved(table, route["metadata"]["name"])]
        conditions = _dated(old.get("conditions", ()), new, route["metadata"]["generation"], at)
        parents.append({"parentRef": parent, "controllerName": CONTROLLER, "conditions": conditions})
    return None if parents == known else parents


def gateway_status(gateway: Object, table: Table, failed: Mapping[int, str], at: str) -> Object | None:
    """The Gateway's status as it should be, or None when it is; `failed` has the ports that did not open."""
    known, generation = gateway.get("status", {}), gateway["metadata"]["generation"]
    problems = [failed[each["port"]] for each in gateway["spec"]["listeners"] if each["port"] in failed]
    status = {
        "addresses": [{"type": "IPAddress", "value": "127.0.0.1"}],
        "conditions": _dated(
            known.get("conditions", ()),
            [_condition("Accepted", "Accepted"), _programmed("; ".join(problems), "AddressNotAssigned")],
            generation,
            at,
        ),
        "listeners": [_listener(gateway, each, table, failed, at) for each in gateway["spec"]["listeners"]],
    }
    same = all(known.get(name) == value for name, value in status.items())
    return None if same else status


def _listener(gateway: Object, listener: Object, table: Table, failed: Mapping[int, str], at: str) -> Object:
    name, meta = listener["name"], gateway["metadata"]
    old: Object = next((each for each in gateway.get("status", {}).get("listeners", ()) if each["name"] == name), {})
    entry = next((e for e in table.entries if (e.gateway, e.name) == (meta["name"], name)), None)
    new = [
        _condition("Accepted", "Accepted"),
        _programmed(failed.get(listener["port"], ""), "Invalid"),
        _condition("ResolvedRefs", "ResolvedRefs"),
    ]
    return {
        "name": name,
        "supportedKinds": [{"group": GROUP, "kind": "HTTPRoute"}],
        "attachedRoutes": len({rule.route for rule in entry.rules}) if entry else 0,
        "conditions": _dated(old.get("conditions", ()), new, meta["generation"], at),
    }


def _accepted(route: Object, parent: Object, gateway: Object) -> dict[str, Any]:
    listeners = [each for each in gateway["spec"]["listeners"] if attaches(route, parent, gateway, each)]
    if not listeners:
        return _condition("Accepted", "NoMatchingParent", "no listener of the Gateway fits the parentRef")
    if all(hosts(each, route) is None for each in listeners):
        return _condition("Accepted", "NoMatchingListenerHostname", "no host name in common with the listener")
    return _condition("Accepted", "Accepted")


def _resolved(table: Table, route: str) -> dict[str, Any]:
    pool = unresolved(table, route)
    if pool is None:
        return _condition("ResolvedRefs", "ResolvedRefs")
    return _condition("ResolvedRefs", pool.reason, pool.problem or "")


def _programmed(problem: str, reason: str) -> dict[str, Any]:
    return _condition("Programmed", reason if problem else "Programmed", problem)


def _condition(kind: str, reason: str, message: str = "") -> dict[str, Any]:
    """A message makes it a condition that does not hold."""
    return {"type": kind, "status": "False" if message else "True", "reason": reason, "message": message}


def _dated(old: Sequence[Object], new: Sequence[dict[str, Any]], generation: int, at: str) -> list[dict[str, Any]]:
    """`new`, with the time of the last change of each condition's status."""
    before = {each["type"]: each for each in old}
    dated = []
    for each in new:
        known = before.get(each["type"])
        since = known["lastTransitionTime"] if known and known["status"] == each["status"] else at
        dated.append({**each, "observedGeneration": generation, "lastTransitionTime": since})
    return dated
