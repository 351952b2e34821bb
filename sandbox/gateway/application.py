"""What a pod of the application answers: pure, from how the pod is and what is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from sandbox.world import Answer, RunningPod

Overrides = Mapping[tuple[str, str], Mapping[str, object]]

# Asked about itself, a bad version still answers: its errors are for users, as in an application whose
# health check does not go through the broken code.
SELF = ("/health", "/version")


def behaviour(pod: RunningPod, overrides: Overrides) -> tuple[float, float]:
    """The pod's error rate (0 to 1) and latency (seconds) now: the closest override wins."""
    error_rate, latency = pod.behaviour.error_rate, pod.behaviour.latency
    if not overrides:
        return error_rate, latency
    for key in (("*", "*"), ("*", pod.version), (pod.region, "*"), (pod.region, pod.version)):
        changed = cast("Mapping[str, Any]", overrides.get(key, {}))
        error_rate = float(changed.get("error_rate", error_rate))
        latency = float(changed.get("latency", latency))
    return error_rate, latency


def answer(pod: RunningPod, path: str, *, failed: bool, seconds: float) -> Answer:
    """The answer to GET `path`; `failed` makes a user's page a 500."""
    return _answer(path, failed, seconds, pod.version, pod.commit, pod.environment, pod.region, pod.name)


@lru_cache(maxsize=4096)
def _answer(
    path: str, failed: bool, seconds: float, version: str, commit: str, environment: str, region: str, pod: str
) -> Answer:
    if path == "/health":
        return _json(200, {"status": "ok", "version": version}, seconds)
    about = {"version": version, "commit": commit, "environment": environment, "region": region, "pod": pod}
    if path == "/version":
        return _json(200, {name: value for name, value in about.items() if value or name != "commit"}, seconds)
    if failed:
        return _json(500, {"error": "the application failed", "version": version, "pod": pod}, seconds)
    if path == "/":
        return _json(200, {"shop": "open", "version": version, "region": region, "pod": pod}, seconds)
    return _json(404, {"error": f"the application has no page {path}"}, seconds)


def _json(status: int, body: Mapping[str, str], seconds: float) -> Answer:
    return Answer(status, json.dumps(body).encode(), "application/json", seconds)
