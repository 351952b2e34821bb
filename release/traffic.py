"""The objects that send users to slots: they belong to no slot, so that Helm never fights over them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from release import names
from release.environment import Region
from release.errors import Refused
from release.model import SLOTS, Route, Slot

Manifest = Mapping[str, Any]
TESTER_HEADER = "x-tidegate-slot"
_PORT = 80


def manifests(app: str, region: Region, *, blue: int, green: int) -> tuple[Manifest, ...]:
    """Both slots' Services, the HTTPRoute with the weights, and a route to each slot that has a preview address; with
    traffic by service both slots' Services and the public one.

    Applied again, they set the weights that are given: pass those that are observed. Raises Refused for a region
    without a Gateway, and for shares that a Service cannot give; ValueError for weights that do not sum to 100.
    """
    if min(blue, green) < 0 or blue + green != 100:
        raise ValueError(f"weights must sum to 100, not {blue} and {green}")
    services = tuple(_service(app, region, slot) for slot in SLOTS)
    if region.traffic == "service":
        return (*services, _public(app, region, whole(blue)))
    if not region.gateway:
        raise Refused(
            "No Gateway is named for the routes to attach to.",
            region=region.name,
            field="gateway",
            next_step="Name it in the environment's file as namespace/name.",
        )
    previews = tuple(_preview(app, region, slot) for slot in SLOTS if slot in region.previews)
    return (*services, _split(app, region, blue, green), *previews)


def require_possible(strategy: str, regions: Iterable[Region]) -> None:
    """Raises Refused for a canary where a Service is the switch: it gives a version all users or none."""
    unable = [region.name for region in regions if region.traffic == "service"]
    if strategy == "canary" and unable:
        raise Refused(
            "a canary needs shares of the users, but one Service sends them all to one slot "
            f"(`traffic: service`) in {', '.join(unable)}.",
            field="strategy",
            next_step="Release with --strategy blue-green or rolling.",
        )


def whole(blue: int) -> Slot:
    """The slot that gets all users. Raises Refused for a share, which the selector of a Service cannot give."""
    if blue not in (0, 100):
        raise Refused(
            f"the selector of a Service gives a slot all users or none, not {blue} %.",
            field="traffic",
            next_step="Release with --strategy blue-green or rolling.",
        )
    return "blue" if blue == 100 else "green"


def selector(app: str, slot: Slot) -> dict[str, str]:
    """The labels of the slot's pods, and of no others."""
    name = names.slot_release(app, slot)
    return {names.APP_LABEL: app, "app.kubernetes.io/instance": name, names.SLOT_LABEL: slot}


def leading(app: str, region: Region, slot: Slot, route: Route | None) -> tuple[str, ...]:
    """The Services that must lead to the slot's pods: its own, and the public one as long as it selects the slot."""
    own = names.slot_release(app, slot)
    public = region.traffic == "service" and route is not None and route.weight(slot) == 100
    return (own, names.route(app)) if public else (own,)


def _service(app: str, region: Region, slot: Slot) -> Manifest:
    metadata = _metadata(app, region, names.slot_release(app, slot), {names.SLOT_LABEL: slot})
    return _selecting(app, region, slot, metadata)


def _public(app: str, region: Region, slot: Slot) -> Manifest:
    return _selecting(app, region, slot, _metadata(app, region, names.route(app), {}))


def _selecting(app: str, region: Region, slot: Slot, metadata: Manifest) -> Manifest:
    ports = [{"name": "http", "port": _PORT, "targetPort": "http", "protocol": "TCP"}]
    # Without a Gateway, Services are what is reached from outside: how (LoadBalancer, NodePort) is the region's affair.
    kind = {} if region.traffic == "service" else {"type": "ClusterIP"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {**kind, "selector": selector(app, slot), "ports": ports},
    }


def _split(app: str, region: Region, blue: int, green: int) -> Manifest:
    weights = {"blue": blue, "green": green}
    backends = [{"name": names.slot_release(app, slot), "port": _PORT, "weight": weights[slot]} for slot in SLOTS]
    # A tester's header chooses a slot whatever the weights: Gateway API prefers the more specific match.
    testers = [
        {
            "matches": [{"headers": [{"type": "Exact", "name": TESTER_HEADER, "value": slot}]}],
            "backendRefs": [{"name": names.slot_release(app, slot), "port": _PORT}],
        }
        for slot in SLOTS
    ]
    spec = {**_attachment(region, "web", list(region.hostnames)), "rules": [{"backendRefs": backends}, *testers]}
    return _route(_metadata(app, region, names.route(app), {}), spec)


def _preview(app: str, region: Region, slot: Slot) -> Manifest:
    backend = {"name": names.slot_release(app, slot), "port": _PORT}
    spec = {
        **_attachment(region, slot, _hostnames(region.previews[slot])),
        "rules": [{"backendRefs": [backend]}],
    }
    return _route(_metadata(app, region, names.preview_route(app, slot), {names.SLOT_LABEL: slot}), spec)


def _route(metadata: Manifest, spec: Manifest) -> Manifest:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata,
        "spec": spec,
    }


def _metadata(app: str, region: Region, name: str, labels: Mapping[str, str]) -> Manifest:
    common = {names.APP_LABEL: app, names.MANAGED_LABEL: names.FIELD_MANAGER}
    return {"name": name, "namespace": region.namespace, "labels": {**common, **labels}}


def _attachment(region: Region, section: str, hostnames: list[str]) -> dict[str, Any]:
    namespace, _, name = region.gateway.rpartition("/")
    parent = {"name": name, "namespace": namespace or region.namespace}
    if section in region.sections:
        parent["sectionName"] = region.sections[section]
    return {"parentRefs": [parent], **({"hostnames": hostnames} if hostnames else {})}


def _hostnames(address: str) -> list[str]:
    """The host of a preview address, where it is a name: a route must not ask for an IP address."""
    host = urlsplit(address).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return [host] if "." in host else []
    return []
