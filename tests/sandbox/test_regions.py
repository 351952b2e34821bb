"""Regions on a real control plane: each sees its own namespace only, through its own address, and can be cut."""

from __future__ import annotations

import asyncio
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from kubernetes.aio import client, config

from sandbox import usercluster
from sandbox.admin import Admin
from sandbox.api import Api
from sandbox.certificate import self_signed
from sandbox.controlplane.run import ControlPlane
from sandbox.faultproxy import Fault, FaultProxy
from sandbox.kubeconfig import Access, write
from sandbox.ports import free_ports
from sandbox.regions import RegionPlan, ensure_regions, limit_pods, random_secrets

pytestmark = pytest.mark.slow
ROUTES = ("gateway.networking.k8s.io", "v1")


def plan(name: str, proxy: FaultProxy) -> RegionPlan:
    return RegionPlan(name, f"production-{name}", f"production-{name}", f"https://{proxy.address}", *free_ports(3))


@asynccontextmanager
async def use(kubeconfig: Path, context: str) -> AsyncIterator[client.ApiClient]:
    own = client.Configuration()
    await config.load_kube_config(str(kubeconfig), context=context, client_configuration=own)
    async with client.ApiClient(own) as api:
        yield api


@asynccontextmanager
async def two_regions(running: ControlPlane, folder: Path, **proxied) -> AsyncIterator[list[FaultProxy]]:
    tls = proxied.pop("tls", (running.certificate, running.key))
    upstream = ("127.0.0.1", running.port)
    proxies = [FaultProxy("kubernetes", *upstream, region=name, tls=tls, **proxied) for name in ("a", "b")]
    for proxy in proxies:
        await proxy.start()
    plans = [plan(str(proxy.region), proxy) for proxy in proxies]
    values = random_secrets()
    await ensure_regions(running.admin, plans, folder / "kubeconfig", authority=tls[0].read_bytes(), values=values)
    try:
        yield proxies
    finally:
        for proxy in proxies:
            await proxy.stop()


async def test_a_region_reaches_its_own_namespace_and_no_other(running: ControlPlane, tmp_path: Path) -> None:
    async with two_regions(running, tmp_path), use(tmp_path / "kubeconfig", "production-a") as api:
        core, custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
        assert stat.S_IMODE((tmp_path / "kubeconfig").stat().st_mode) == 0o600
        secret = await core.read_namespaced_secret("shop-secrets", "production-a")
        assert {"DB_PASSWORD", "API_KEY"} <= set(secret.data)
        assert await custom.list_namespaced_custom_object(*ROUTES, "production-a", "httproutes")
        for forbidden in (
            core.read_namespaced_secret("shop-secrets", "production-b"),
            core.list_namespace(),
            core.list_node(),
            custom.delete_namespaced_custom_object(*ROUTES, "production-a", "gateways", "tidegate"),
            client.RbacAuthorizationV1Api(api).delete_namespaced_role("tidegate", "production-a"),
        ):
            with pytest.raises(client.ApiException) as caught:
                await forbidden
            assert caught.value.status == 403


async def test_a_fault_reaches_one_region_only(running: ControlPlane, tmp_path: Path) -> None:
    async with two_regions(running, tmp_path) as proxies:
        await proxies[0].set(Fault("500"))
        async with use(tmp_path / "kubeconfig", "production-a") as api:
            with pytest.raises(client.ApiException) as caught:
                await client.CoreV1Api(api).list_namespaced_pod("production-a")
            assert caught.value.status == 500
        async with use(tmp_path / "kubeconfig", "production-b") as api:
            assert (await client.CoreV1Api(api).list_namespaced_pod("production-b")).items == []


async def test_the_gateway_says_where_it_listens(running: ControlPlane, tmp_path: Path) -> None:
    async with two_regions(running, tmp_path), Api(running.admin) as api:
        found = await api.get("/apis/gateway.networking.k8s.io/v1/namespaces/production-a/gateways/tidegate")
        assert found is not None
        listeners = found["spec"]["listeners"]
        assert [entry["name"] for entry in listeners] == ["web", "preview-blue", "preview-green"]
        assert len({entry["port"] for entry in listeners}) == 3


async def test_a_users_cluster_serves_in_place_of_the_own(running: ControlPlane, tmp_path: Path) -> None:
    admin = running.admin
    given = tmp_path / "given"
    write(given, [Access("kind", admin.server, admin.ca_file.read_bytes(), admin.token)])
    found = await usercluster.connect(given, tmp_path / "sandbox")
    assert found.admin.token != admin.token
    assert (found.host, found.port) == ("127.0.0.1", running.port)
    tls = self_signed(tmp_path / "sandbox")
    async with (
        two_regions(running, tmp_path, tls=tls, reencrypt=found.reencrypt()),
        use(tmp_path / "kubeconfig", "production-b") as api,
    ):
        assert (await client.CoreV1Api(api).list_namespaced_pod("production-b")).items == []


async def test_a_quota_refuses_pods_until_it_is_lifted(control_plane: Admin, namespace: str) -> None:
    pod = {"metadata": {"generateName": "p-"}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    async with control_plane.client() as api:
        core = client.CoreV1Api(api)
        await limit_pods(control_plane, namespace, 1)
        await core.create_namespaced_pod(namespace, pod)
        with pytest.raises(client.ApiException, match="exceeded quota"):
            await core.create_namespaced_pod(namespace, pod)
        await limit_pods(control_plane, namespace, None)
        await core.create_namespaced_pod(namespace, pod)


async def test_sixty_four_regions_are_made_fast(running: ControlPlane, tmp_path: Path) -> None:
    proxies = [FaultProxy("kubernetes", "127.0.0.1", running.port, region=f"r{i}") for i in range(64)]
    plans = [plan(str(proxy.region), proxy) for proxy in proxies]
    started = time.monotonic()
    authority = running.certificate.read_bytes()
    await ensure_regions(running.admin, plans, tmp_path / "many", authority=authority, values=random_secrets())
    print(f"64 regions: {time.monotonic() - started:.1f} s")
    assert time.monotonic() - started < 20
    await asyncio.gather(*(proxies[0].start(), proxies[63].start()))
    async with use(tmp_path / "many", "production-r63") as api:
        assert (await client.CoreV1Api(api).list_namespaced_pod("production-r63")).items == []
    await asyncio.gather(*(proxies[0].stop(), proxies[63].stop()))
