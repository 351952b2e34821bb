"""Kubernetes objects for the gateway's tests, as the API server would show them."""

from __future__ import annotations

import itertools
from typing import Any

from sandbox.gateway.backends import Found
from sandbox.gateway.model import Table
from sandbox.gateway.table import build
from sandbox.world import Behaviour, RunningPod, World

NS = "production-us-east-1"
REGION = "us-east-1"
versions = itertools.count(1)


def meta(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": NS,
        "resourceVersion": str(next(versions)),
        "generation": 1,
        "creationTimestamp": "2026-11-23T05:00:00Z",
        **more,
    }


def gateway(web: int = 8001, blue: int = 8002, green: int = 8003, **listener: Any) -> dict[str, Any]:
    ports = {"web": web, "preview-blue": blue, "preview-green": green}
    return {
        "metadata": meta("tidegate"),
        "spec": {
            "gatewayClassName": "tidegate-sandbox",
            "listeners": [{"name": n, "port": p, "protocol": "HTTP", **listener} for n, p in ports.items()],
        },
    }


def ref(service: str, weight: int = 1, port: int = 80) -> dict[str, Any]:
    return {"group": "", "kind": "Service", "name": service, "port": port, "weight": weight}


def route(name: str = "shop", *rules: dict[str, Any], section: str = "web", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": meta(name),
        "spec": {
            "parentRefs": [
                {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "tidegate"} | {"sectionName": section}
            ],
            "rules": list(rules) or [rule(ref("shop-blue", 90), ref("shop-green", 10))],
            **spec,
        },
    }


def rule(*refs: dict[str, Any], **match: Any) -> dict[str, Any]:
    return {"backendRefs": list(refs), "matches": [{"path": {"type": "PathPrefix", "value": "/"}, **match}]}


def service(name: str, port: int = 80) -> dict[str, Any]:
    return {"metadata": meta(name), "spec": {"ports": [{"name": "http", "port": port, "targetPort": "http"}]}}


def endpoint_slice(service: str, *uids: str, **conditions: bool) -> dict[str, Any]:
    state = conditions or {"ready": True, "serving": True, "terminating": False}
    return {
        "metadata": meta(f"{service}-abcde", labels={"kubernetes.io/service-name": service}),
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [
            {"addresses": ["10.0.0.1"], "conditions": state, "targetRef": {"kind": "Pod", "uid": uid}} for uid in uids
        ],
    }


def pod(uid: str, version: str = "1.4.0", **behaviour: Any) -> RunningPod:
    return RunningPod(uid, f"pod-{uid}", NS, REGION, version, "production", Behaviour(**behaviour), ready=True)


def world(*pods: RunningPod, speed: float = 1.0) -> World:
    return World({NS: REGION}, speed, {each.uid: each for each in pods})


def found(services: list[dict[str, Any]], slices: list[dict[str, Any]]) -> Found:
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in slices:
        grouped.setdefault((NS, each["metadata"]["labels"]["kubernetes.io/service-name"]), []).append(each)
    return Found({(NS, each["metadata"]["name"]): each for each in services}, grouped)


def shop(*routes: dict[str, Any], blue: tuple[str, ...] = ("b1", "b2"), green: tuple[str, ...] = ("g1",)) -> Table:
    """A region's table with both slots' Services and these routes."""
    slots = found(
        [service("shop-blue"), service("shop-green")],
        [endpoint_slice("shop-blue", *blue), endpoint_slice("shop-green", *green)],
    )
    return build(NS, REGION, [gateway()], routes or [route()], slots)
