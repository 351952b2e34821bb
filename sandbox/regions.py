"""Regions: one namespace each, a service account of least rights, a Gateway, and one kubeconfig of them all."""

from __future__ import annotations

import asyncio
import base64
import secrets as random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox import kubeconfig
from sandbox.admin import Admin
from sandbox.api import Api, Manifest
from sandbox.gateway.status import CONTROLLER

ACCOUNT = "tidegate"
SECRET = "shop-secrets"  # noqa: S105 - its name
SECRET_KEYS = ("DB_PASSWORD", "API_KEY", "PROD_API_KEY")
GATEWAY = "tidegate"
GATEWAY_CLASS = "tidegate-sandbox"
_ROLE = Path(__file__).parents[1] / "infrastructure" / "rbac" / "role.yaml"
_TOKEN_SECONDS = 30 * 86400
_POLL = 0.05
_CLASS: Manifest = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "GatewayClass",
    "metadata": {"name": GATEWAY_CLASS},
    "spec": {"controllerName": CONTROLLER, "description": "Simulated by Tidegate's sandbox"},
}


@dataclass(frozen=True, slots=True)
class RegionPlan:
    """What a region is to be. `api` is https://127.0.0.1:PORT of its own proxy; web, blue, green are the ports on
    which its gateway serves users and each slot's preview."""

    name: str
    context: str
    namespace: str
    api: str
    web: int
    blue: int
    green: int


def random_secrets() -> dict[str, str]:
    """Values for the application's Secret, by key."""
    return {key: random.token_urlsafe(24) for key in SECRET_KEYS}


async def ensure_regions(
    admin: Admin, plans: Sequence[RegionPlan], config: Path, *, authority: bytes, values: Mapping[str, str]
) -> None:
    """Make or update every region, side by side, and write the kubeconfig `config` (mode 0600) with all contexts.

    `authority` is the certificate (PEM) that the regions' proxies are trusted by; `values` go into each region's
    Secret `shop-secrets`. Gateway API's CRDs must be there. Raises Refused or Unavailable as the API server does.
    """
    role = yaml.safe_load(_ROLE.read_text())
    async with Api(admin) as api:
        await api.apply(_CLASS)
        tokens = await asyncio.gather(*(_ensure(api, plan, role, values) for plan in plans))
        await _until_pods_can_be_made(api, {plan.namespace for plan in plans})
    accesses = [
        kubeconfig.Access(plan.context, plan.api, authority, token, plan.namespace)
        for plan, token in zip(plans, tokens, strict=True)
    ]
    kubeconfig.write(config, accesses)


async def limit_pods(admin: Admin, namespace: str, pods: int | None) -> None:
    """Let the namespace have at most so many pods, by a ResourceQuota; None: as many as it wants."""
    metadata = {"name": "tidegate-sandbox", "namespace": namespace}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": str(pods)}}}
    async with Api(admin) as api:
        if pods is None:
            await api.delete(quota)
            return
        found = await api.apply(quota)
        # Admission counts from the moment that the controller has written the status.
        while found.get("status", {}).get("hard") != found["spec"]["hard"]:
            await asyncio.sleep(_POLL)
            found = await api.apply(quota)


async def _ensure(api: Api, plan: RegionPlan, role: Manifest, values: Mapping[str, str]) -> str:
    """Make the region; gives its token."""
    labels = {"tidegate.dev/region": plan.name}
    await api.apply(_object("v1", "Namespace", {"name": plan.namespace, "labels": labels}))
    await api.apply_all(manifests(plan, role, values))
    account = f"/api/v1/namespaces/{plan.namespace}/serviceaccounts/{ACCOUNT}/token"
    wanted = _object("authentication.k8s.io/v1", "TokenRequest", {}, spec={"expirationSeconds": _TOKEN_SECONDS})
    return str((await api.create(account, wanted))["status"]["token"])


def manifests(plan: RegionPlan, role: Manifest, values: Mapping[str, str]) -> list[Manifest]:
    """What a region's namespace holds before the first release."""

    def named(name: str) -> dict[str, Any]:
        return {"name": name, "namespace": plan.namespace}

    rbac = "rbac.authorization.k8s.io"
    who = [{"kind": "ServiceAccount", **named(ACCOUNT)}]
    what = {"apiGroup": rbac, "kind": "Role", "name": role["metadata"]["name"]}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return [
        _object("v1", "ServiceAccount", named(ACCOUNT)),
        {**role, "metadata": {**role["metadata"], "namespace": plan.namespace}},
        _object(f"{rbac}/v1", "RoleBinding", named(ACCOUNT), subjects=who, roleRef=what),
        _object("v1", "Secret", named(SECRET), type="Opaque", data=data),
        _object("gateway.networking.k8s.io/v1", "Gateway", named(GATEWAY), spec=_gateway(plan)),
    ]


def _gateway(plan: RegionPlan) -> dict[str, Any]:
    ports = {"web": plan.web, "preview-blue": plan.blue, "preview-green": plan.green}
    listeners = [{"name": name, "port": port, "protocol": "HTTP"} for name, port in ports.items()]
    return {"gatewayClassName": GATEWAY_CLASS, "listeners": listeners}


def _object(version: str, kind: str, metadata: Mapping[str, Any], **more: Any) -> Manifest:
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


async def _until_pods_can_be_made(api: Api, namespaces: set[str]) -> None:
    # Until its default service account is there, a namespace refuses pods that name none.
    while True:
        found = await api.get("/api/v1/serviceaccounts", fieldSelector="metadata.name=default")
        if found and namespaces <= {item["metadata"]["namespace"] for item in found["items"]}:
            return
        await asyncio.sleep(_POLL)
