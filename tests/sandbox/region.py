"""A region for a test: a namespace whose service account has the Role of infrastructure/rbac and nothing else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes.aio import client

from release.environment import Region
from sandbox.admin import Admin
from sandbox.kubeconfig import Access, write

CHECKOUT = Path(__file__).parents[2]
CHART = CHECKOUT / "infrastructure" / "chart"
CONTEXT = "us-east-1"


@dataclass(frozen=True)
class TestRegion:
    """`kubeconfig` has the context `us-east-1`."""

    __test__ = False

    kubeconfig: Path
    namespace: str
    admin: Admin

    @property
    def plan(self) -> Region:
        sections = {"web": "web", "blue": "preview-blue", "green": "preview-green"}
        previews = {"blue": "http://127.0.0.1:8081", "green": "http://127.0.0.1:8082"}
        return Region(
            name=CONTEXT,
            context=CONTEXT,
            namespace=self.namespace,
            address="http://127.0.0.1:8080",
            previews=previews,  # type: ignore[arg-type]
            gateway=f"{self.namespace}/tidegate",
            sections=sections,
        )


async def make_region(admin: Admin, namespace: str, folder: Path) -> TestRegion:
    """Grant the Role to a new account, as a region's administrator does, and write its kubeconfig."""
    role = yaml.safe_load((CHECKOUT / "infrastructure" / "rbac" / "role.yaml").read_text())
    subject = {"kind": "ServiceAccount", "name": "tidegate", "namespace": namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "tidegate"}
    async with admin.client() as api:
        core, rbac = client.CoreV1Api(api), client.RbacAuthorizationV1Api(api)
        await core.create_namespaced_service_account(namespace, {"metadata": {"name": "tidegate"}})
        await rbac.create_namespaced_role(namespace, role)
        await rbac.create_namespaced_role_binding(
            namespace, {"metadata": {"name": "tidegate"}, "roleRef": reference, "subjects": [subject]}
        )
        request: dict[str, Any] = {"spec": {"expirationSeconds": 3600}}
        token = await core.create_namespaced_service_account_token("tidegate", namespace, request)
    ca = admin.ca_file.read_bytes()
    path = folder / "kubeconfig"
    write(path, [Access(CONTEXT, admin.server, ca, token.status.token, namespace)])
    return TestRegion(path, namespace, admin)


def cache_folder() -> Path:
    """Where this machine keeps helm, shared by all checkouts."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("TIDEGATE_CACHE") or home / "tidegate")
