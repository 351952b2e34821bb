"""Names that Tidegate gives to things in a cluster: one place, so that every room agrees."""

from __future__ import annotations

from release.model import Slot

FIELD_MANAGER = "tidegate"
APP_LABEL = "app.kubernetes.io/name"
SLOT_LABEL = "tidegate.dev/slot"
LIVE = "tidegate.dev/live"
PREVIOUS = "tidegate.dev/previous"
RETIRE = "tidegate.dev/retire"
MAINTENANCE = "tidegate.dev/maintenance"
MANAGED_LABEL = "app.kubernetes.io/managed-by"


def slot_release(app: str, slot: Slot) -> str:
    """The Helm release, Deployment and Service of a slot."""
    return f"{app}-{slot}"


def route(app: str) -> str:
    """The HTTPRoute that splits the users; without Gateway API the Service whose selector picks their slot."""
    return app


def preview_route(app: str, slot: Slot) -> str:
    """The HTTPRoute of a slot's own address."""
    return f"{app}-preview-{slot}"


def lock(app: str) -> str:
    """The Lease that a release of an environment holds."""
    return f"tidegate-{app}"
