"""What sends a region's users: an HTTPRoute, or where there is no Gateway API one Service. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from release import names, traffic
from release.environment import Traffic
from release.model import SLOTS

GATEWAY_API = "gateway.networking.k8s.io/v1"
# API version and plural.
KINDS: Mapping[Traffic, tuple[str, str]] = {"gateway": (GATEWAY_API, "httproutes"), "service": ("v1", "services")}

Patch = list[dict[str, Any]]


def move(switch: Traffic, app: str, blue: int, green: int) -> Patch:
    """The one write that gives each slot its share, which fails where it is not what Tidegate made. Raises Refused for
    shares that a Service cannot give."""
    return _selector(app, blue) if switch == "service" else _weights(app, blue, green)


def _weights(app: str, blue: int, green: int) -> Patch:
    patch: Patch = []
    for index, (slot, weight) in enumerate(zip(SLOTS, (blue, green), strict=True)):
        backend = f"/spec/rules/0/backendRefs/{index}"
        patch.append({"op": "test", "path": f"{backend}/name", "value": names.slot_release(app, slot)})
        patch.append({"op": "replace", "path": f"{backend}/weight", "value": weight})
    return patch


def _selector(app: str, blue: int) -> Patch:
    managed = f"/metadata/labels/{names.MANAGED_LABEL.replace('/', '~1')}"
    return [
        {"op": "test", "path": managed, "value": names.FIELD_MANAGER},
        {"op": "add", "path": "/spec/selector", "value": traffic.selector(app, traffic.whole(blue))},
    ]
