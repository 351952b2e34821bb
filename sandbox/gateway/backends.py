"""From a route's backendRef to the pods behind it: Service, port, EndpointSlices. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.gateway import labels
from sandbox.gateway.model import Endpoint, Pool

Object = Mapping[str, Any]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """The Services by (namespace, name), and their EndpointSlices by the Service's (namespace, name)."""

    services: Mapping[Key, Object]
    slices: Mapping[Key, Sequence[Object]]


def pool(namespace: str, ref: Object, found: Found) -> Pool:
    """What a backendRef of a route in `namespace` leads to."""
    name, port, weight = ref["name"], ref.get("port", 0), ref.get("weight", 1)
    label = labels.service(namespace, name, port)
    if (ref.get("group") or "", ref.get("kind", "Service")) != ("", "Service"):
        return Pool(name, label, weight, problem=f"backend {name} is not a Service", reason="InvalidKind")
    if ref.get("namespace", namespace) != namespace:
        problem = f"Service {name} is in another namespace, and ReferenceGrants are not simulated"
        return Pool(name, label, weight, problem=problem, reason="RefNotPermitted")
    service = found.services.get((namespace, name))
    if service is None:
        return Pool(name, label, weight, problem=f"service {namespace}/{name} not found")
    spec = next((p for p in service["spec"].get("ports", ()) if p["port"] == port), None)
    if spec is None:
        return Pool(name, label, weight, problem=f"service {namespace}/{name} has no port {port}")
    return Pool(name, label, weight, endpoints(namespace, name, spec, found))


def endpoints(namespace: str, name: str, port: Object, found: Found) -> tuple[Endpoint, ...]:
    """The endpoints that get requests: the ready ones; where none is, those that end but still serve."""
    ready: dict[Endpoint, None] = {}
    ending: dict[Endpoint, None] = {}
    for each in found.slices.get((namespace, name), ()):
        number = _number(each, port)
        if number is None:
            continue
        for endpoint in each.get("endpoints") or ():
            state = endpoint.get("conditions", {})
            one = Endpoint(endpoint.get("targetRef", {}).get("uid", ""), number)
            # Absent conditions read as ready, as the API asks its clients to.
            if state.get("ready", True) is not False:
                ready[one] = None
            elif state.get("serving") and state.get("terminating"):
                ending[one] = None
    return tuple(ready or ending)


def _number(each: Object, port: Object) -> int | None:
    for known in each.get("ports") or ():
        if known.get("name", "") == port.get("name", "") and known.get("port"):
            return int(known["port"])
    return None
