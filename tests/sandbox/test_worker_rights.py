"""A Kubernetes work pool: what Prefect makes of a run is accepted by a real API server, with the worker's rights."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml
from kubernetes.aio import client
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_kubernetes.worker import KubernetesWorker, KubernetesWorkerJobConfiguration
from region import CHECKOUT

from sandbox.admin import Admin

pytestmark = pytest.mark.slow


@dataclass
class Worker:
    """The API server as the worker's service account sees it."""

    http: httpx.AsyncClient
    namespace: str

    async def ask(self, method: str, group: str, path: str, body: Any = None) -> int:
        address = f"/{group}/namespaces/{self.namespace}/{path}"
        return (await self.http.request(method, address, json=body)).status_code


@pytest.fixture
async def worker(control_plane: Admin, namespace: str) -> AsyncIterator[Worker]:
    text = (CHECKOUT / "infrastructure" / "rbac" / "worker.yaml").read_text()
    async with control_plane.client() as api:
        core, rbac = client.CoreV1Api(api), client.RbacAuthorizationV1Api(api)
        made = {
            "ServiceAccount": core.create_namespaced_service_account,
            "Role": rbac.create_namespaced_role,
            "RoleBinding": rbac.create_namespaced_role_binding,
        }
        for manifest in yaml.safe_load_all(text):
            for subject in manifest.get("subjects", ()):
                subject["namespace"] = namespace
            await made[manifest["kind"]](namespace, manifest)
        request: dict[str, Any] = {"spec": {"expirationSeconds": 3600}}
        token = await core.create_namespaced_service_account_token("tidegate-worker", namespace, request)
        headers = {"Authorization": f"Bearer {token.status.token}"}
        trusted = ssl.create_default_context(cafile=str(control_plane.ca_file))
        async with httpx.AsyncClient(
            base_url=control_plane.server, headers=headers, verify=trusted, trust_env=False
        ) as http:
            yield Worker(http, namespace)


async def job(namespace: str) -> dict[str, Any]:
    """What Prefect's Kubernetes worker makes of a run of the pool."""
    values = {"image": "registry.example.com/tidegate:1", "namespace": namespace}
    template = KubernetesWorker.get_default_base_job_template()
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        made = await KubernetesWorkerJobConfiguration.from_template_and_values(
            template, {**values, "service_account_name": "tidegate-run"}
        )
        made.prepare_for_flow_run(FlowRun(id=uuid4(), flow_id=uuid4(), name="v1.4.0 by ada"))
    manifest: dict[str, Any] = json.loads(json.dumps(made.job_manifest))
    return manifest


async def test_a_run_of_a_kubernetes_pool_is_accepted_as_a_job(worker: Worker) -> None:
    manifest = await job(worker.namespace)
    assert await worker.ask("POST", "apis/batch/v1", "jobs?dryRun=All", manifest) == 201
    assert await worker.ask("POST", "apis/batch/v1", "jobs", manifest) == 201
    for what in ("apis/batch/v1", "api/v1"):
        assert await worker.ask("GET", what, "jobs" if what.endswith("batch/v1") else "pods") == 200


@pytest.mark.parametrize(
    ("method", "group", "path"),
    [
        ("GET", "api/v1", "secrets"),
        ("POST", "api/v1", "pods"),
        ("POST", "apis/apps/v1", "deployments"),
        ("GET", "apis/rbac.authorization.k8s.io/v1", "roles"),
        ("POST", "apis/rbac.authorization.k8s.io/v1", "rolebindings"),
    ],
)
async def test_the_worker_may_do_nothing_else(worker: Worker, method: str, group: str, path: str) -> None:
    assert await worker.ask(method, group, path, {} if method == "POST" else None) == 403


async def test_another_namespace_is_none_of_its_business(worker: Worker) -> None:
    elsewhere = Worker(worker.http, "default")
    assert await elsewhere.ask("GET", "apis/batch/v1", "jobs") == 403


async def test_the_service_s_own_manifest_is_accepted(control_plane: Admin, namespace: str) -> None:
    text = (CHECKOUT / "deployments" / "many" / "serve.yaml").read_text()
    async with control_plane.client() as api:
        made = {
            "ServiceAccount": client.CoreV1Api(api).create_namespaced_service_account,
            "Deployment": client.AppsV1Api(api).create_namespaced_deployment,
            "Service": client.CoreV1Api(api).create_namespaced_service,
        }
        for manifest in yaml.safe_load_all(text):
            await made[manifest["kind"]](namespace, manifest, field_validation="Strict", dry_run="All")
