"""The objects that send users to slots: they belong to no slot, so that Helm never fights over them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from release import names
from release.environment import Region
from release.errors import Refused
from release.model import SLOTS, Slot

Manifest = Mapping[str, Any]
TESTER_HEADER = "x-tidegate-slot"
_PORT = 80


def manifests(app: str, region: Region, *, blue: int, green: int) -> tuple[Manifest, ...]:
    """Both slots' Services, the HTTPRoute with the weights, and a route to each slot that has a preview address.

    Applied again, they set the weights that are given: pass those that are observed. Raises Refused for a region
    without a Gateway, ValueError for weights that do not sum to 100.
    """
    if min(blue, green) < 0 or blue + green != 100:
        raise ValueError(f"weights must sum to 100, not {blue} and {green}")
    if not region.gateway:
        raise Refused(
            "No Gateway is named for the routes to attach to.",
            region=region.name,
            field="gateway",
            next_step="Name it in the environment's file as namespace/name.",
        )
    services = tuple(_service(app, region, slot) for slot in SLOTS)
    previews = tuple(_preview(app, region, slot) for slot in SLOTS if slot in region.previews)
    return (*services, _split(app, region, blue, green), *previews)


def _service(app: str, region: Region, slot: Slot) -> Manifest:
    name = names.slot_release(app, slot)
    selector = {names.APP_LABEL: app, "app.kubernetes.io/instance": name, names.SLOT_LABEL: slot}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(app, region, name, {names.SLOT_LABEL: slot}),
        "spec": {
            "type": "ClusterIP",
            "selector": selector,
            "ports": [{"name": "http", "port": _PORT, "targetPort": "http", "protocol": "TCP"}],
        },
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
    common = {names.APP_LABEL: app, "app.kubernetes.io/managed-by": names.FIELD_MANAGER}
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
