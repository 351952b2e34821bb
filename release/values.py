"""Chart values of a slot, and the hash by which a change of them is seen."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from release.environment import Environment, Region
from release.model import Artifact, Slot


def of_slot(environment: Environment, region: Region, app: str, slot: Slot) -> dict[str, Any]:
    """The chart's values for a slot, without its image. Secrets appear by name only."""
    values: dict[str, Any] = {
        "application": app,
        "slot": slot,
        "environment": environment.name,
        "region": region.name,
        "replicas": environment.replicas,
        "rolling": {
            "maxUnavailable": _quantity(environment.rolling.max_unavailable),
            "maxSurge": _quantity(environment.rolling.max_surge),
        },
        # Kubernetes gives up when Tidegate does, not before.
        "progressDeadlineSeconds": math.ceil(environment.rolling.timeout),
        "env": dict(environment.variables),
    }
    if environment.kubernetes_secret and environment.secrets:
        values["secret"] = {"name": environment.kubernetes_secret, "keys": sorted(environment.secrets)}
    return _merge(values, environment.values)


def with_image(values: Mapping[str, Any], repository: str, artifact: Artifact) -> dict[str, Any]:
    """The values with the image by digest; the version is for people."""
    image = {"repository": repository, "digest": artifact.digest}
    return _merge(values, {"image": image, "version": artifact.version})


def with_replicas(values: Mapping[str, Any], replicas: int | None) -> dict[str, Any]:
    """The values with so many replicas, as the autoscaler's minimum where one is on; None leaves them."""
    if replicas is None:
        return dict(values)
    if values.get("autoscaling", {}).get("enabled"):
        return _merge(values, {"autoscaling": {"minReplicas": replicas}})
    return {**values, "replicas": replicas}


def least(environment: Environment) -> int | None:
    """The autoscaler's own minimum in an environment, None where none is on; 2 is the chart's."""
    scaling = environment.values.get("autoscaling", {})
    return int(scaling.get("minReplicas", 2)) if scaling.get("enabled") else None


def fingerprint(values: Mapping[str, Any]) -> str:
    """Twelve hex digits that change when a value changes, the same for both slots and for all regions."""
    # How pods are exchanged is no part of what runs: a hotfix's own numbers must not look like another version.
    own = ("slot", "region", "image", "version", "rolling", "progressDeadlineSeconds")
    plain = {key: value for key, value in values.items() if key not in own}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]


def _quantity(text: str) -> str | int:
    return int(text) if text.isdigit() else text


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return merged
