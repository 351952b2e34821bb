"""Helm, the cluster client and the lock on a real control plane, with the rights of infrastructure/rbac only."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio import client
from region import CHART, CONTEXT, TestRegion, cache_folder, make_region

from clients import manifests
from clients.cluster import Cluster
from clients.helm import Helm, Place
from clients.kube_errors import Conflict
from clients.tools import ensure_helm
from release import traffic
from release.errors import Failed, Refused
from release.labels import release_labels
from release.model import Artifact, Record, Route
from sandbox.admin import Admin

pytestmark = pytest.mark.slow
OLD = Artifact("1.4.0", "sha256:" + "a" * 64, "c" * 40)
NEW = Artifact("1.5.0", "sha256:" + "b" * 64, "d" * 40)


@pytest.fixture
async def region(control_plane: Admin, namespace: str, tmp_path: Path) -> TestRegion:
    return await make_region(control_plane, namespace, tmp_path)


@pytest.fixture
async def helm(region: TestRegion, tmp_path: Path) -> Helm:
    return Helm(str(await ensure_helm(cache_folder(), print)), region.kubeconfig, cache=tmp_path / "kube")


def place(region: TestRegion) -> Place:
    return Place(CONTEXT, region.namespace)


def cluster(region: TestRegion) -> Cluster:
    return Cluster(region.kubeconfig, CONTEXT, region.namespace)


def values(artifact: Artifact, **more: Any) -> dict[str, Any]:
    image = {"repository": "127.0.0.1:5000/shop", "digest": artifact.digest}
    return {"application": "shop", "slot": "blue", "replicas": 2, "version": artifact.version, "image": image, **more}


async def upgrade(helm: Helm, region: TestRegion, artifact: Artifact, **more: Any) -> None:
    await helm.upgrade(
        place(region),
        "shop-blue",
        CHART,
        values(artifact, **more),
        labels=release_labels("shop", artifact, "config"),
        description=f"v{artifact.version} by ada, run 1",
        timeout=90,
    )


async def test_a_releases_whole_life_with_least_rights(region: TestRegion, helm: Helm) -> None:
    at = place(region)
    autoscaling = {"enabled": True, "minReplicas": 2, "maxReplicas": 4}
    made = await helm.rendered(at, "shop-blue", CHART, values(OLD))
    await manifests.require_accepted(region.kubeconfig, CONTEXT, region.namespace, made)
    assert await helm.list(at) == ()
    await upgrade(helm, region, OLD, autoscaling=autoscaling)
    await upgrade(helm, region, NEW)
    history = await helm.history(at, "shop-blue")
    assert [(one.revision, one.status) for one in history] == [(1, "superseded"), (2, "deployed")]
    assert history[1].description == "v1.5.0 by ada, run 1"
    old = await helm.get_values(at, "shop-blue", 1)
    assert old == values(OLD, autoscaling=autoscaling)
    assert await helm.get_values(at, "shop-blue", 9) is None
    await helm.rollback(at, "shop-blue", 1)
    status = await helm.status(at, "shop-blue")
    assert status is not None
    assert (status.revision, status.status) == (3, "deployed")
    async with cluster(region) as here:
        release = (await here.observe("shop", CONTEXT)).blue.release
        assert release is not None
        # Helm gives a rollback's revision the labels of the revision it goes back to.
        assert (release.revision, release.version) == (3, "1.4.0")
        await helm.uninstall(at, "shop-blue")
        await helm.uninstall(at, "shop-blue")
        assert (await here.observe("shop", CONTEXT)).blue.workload is None


async def test_observe_after_a_first_release(region: TestRegion, helm: Helm) -> None:
    async with cluster(region) as here:
        empty = await here.observe("shop", CONTEXT)
        assert (empty.route, empty.blue.release, empty.blue.pods) == (None, None, ())
        await upgrade(helm, region, OLD)
        await here.apply(traffic.manifests("shop", region.plan, blue=100, green=0))
        state = await here.observe("shop", CONTEXT)
        while len(state.blue.pods) < 2:
            await asyncio.sleep(0.05)
            state = await here.observe("shop", CONTEXT)
    assert state.route == Route(blue=100, green=0)
    assert state.blue.workload is not None
    assert (state.blue.workload.digest, state.blue.workload.replicas) == (OLD.digest, 2)
    assert {pod.digest for pod in state.blue.pods} == {OLD.digest}
    assert state.blue.release is not None
    assert (state.blue.release.version, state.blue.release.config) == ("1.4.0", "config")


async def test_weights_and_records_survive_each_other_and_a_second_apply(region: TestRegion) -> None:
    live = Record(NEW, "green", 1, "abc", "2026-11-23T05:00:00+00:00", "run-2")
    before = Record(OLD, "blue", 4, "abc", "2026-11-22T05:00:00+00:00", "run-1")
    async with cluster(region) as here:
        with pytest.raises(Refused):
            await here.set_weights("shop", 50, 50)
        await here.apply(traffic.manifests("shop", region.plan, blue=100, green=0))
        await here.set_weights("shop", 25, 75)
        await here.record("shop", live, before)
        assert (await here.observe("shop", CONTEXT)).route == Route(25, 75, live, before)
        await here.apply(traffic.manifests("shop", region.plan, blue=25, green=75))
        await here.record("shop", live, None)
        assert (await here.observe("shop", CONTEXT)).route == Route(25, 75, live, None)


async def test_a_change_behind_helms_back_is_a_conflict_that_can_be_forced(region: TestRegion, helm: Helm) -> None:
    await upgrade(helm, region, OLD)
    container = {"name": "application", "image": "elsewhere/other:1"}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    async with region.admin.client() as api:
        apps = client.AppsV1Api(api)
        await apps.patch_namespaced_deployment("shop-blue", region.namespace, patch, field_manager="someone")
    with pytest.raises(Conflict, match="someone"):
        await upgrade(helm, region, NEW)
    await helm.upgrade(
        place(region), "shop-blue", CHART, values(NEW), labels={}, description="", timeout=90, force_conflicts=True
    )
    async with cluster(region) as here:
        workload = (await here.observe("shop", CONTEXT)).blue.workload
    assert workload is not None
    assert workload.digest == NEW.digest


async def finish_test_pod(region: TestRegion, phase: str) -> None:
    """What a kubelet does when a chart test's container ends."""
    async with region.admin.client() as api:
        core = client.CoreV1Api(api)
        while True:
            pods = await core.list_namespaced_pod(region.namespace, label_selector="app.kubernetes.io/component=test")
            if pods.items:
                break
            await asyncio.sleep(0.05)
        [pod] = pods.items
        [container] = pod.spec.containers
        assert container.args == ["http://shop-blue/health"]
        await core.patch_namespaced_pod_status(pod.metadata.name, region.namespace, {"status": {"phase": phase}})


async def test_chart_tests_pass_and_fail(region: TestRegion, helm: Helm) -> None:
    await upgrade(helm, region, OLD)
    async with asyncio.TaskGroup() as group:
        group.create_task(finish_test_pod(region, "Succeeded"))
        group.create_task(helm.test(place(region), "shop-blue", timeout=60))
    with pytest.raises(Failed, match="shop-blue-test"):
        await helm.test(place(region), "shop-blue", timeout=1)


async def test_a_missing_right_is_named(region: TestRegion, helm: Helm) -> None:
    elsewhere = Place(CONTEXT, "default")
    with pytest.raises(Refused, match=r"role: .* lacks the right to list secrets"):
        await helm.list(elsewhere)
    async with Cluster(region.kubeconfig, CONTEXT, "default") as here:
        with pytest.raises(Refused, match="lacks the right to"):
            await here.observe("shop", CONTEXT)
        with pytest.raises(Refused, match=r"patch services"):
            await here.apply(traffic.manifests("shop", region.plan, blue=100, green=0)[:1])


async def test_a_namespace_that_demands_restricted_pods_takes_them(region: TestRegion, helm: Helm) -> None:
    enforce = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    async with region.admin.client() as api:
        await client.CoreV1Api(api).patch_namespace(region.namespace, enforce)
    await upgrade(helm, region, OLD)
    async with cluster(region) as here:
        state = await here.observe("shop", CONTEXT)
        while len(state.blue.pods) < 2:
            assert state.blue.workload is not None
            assert state.blue.workload.failure is None
            await asyncio.sleep(0.05)
            state = await here.observe("shop", CONTEXT)
    async with asyncio.TaskGroup() as group:
        group.create_task(finish_test_pod(region, "Succeeded"))
        group.create_task(helm.test(place(region), "shop-blue", timeout=60))


async def test_a_quota_is_read_as_the_deployments_failure(region: TestRegion, helm: Helm) -> None:
    async with region.admin.client() as api:
        quota = {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}
        await client.CoreV1Api(api).create_namespaced_resource_quota(region.namespace, quota)
    await upgrade(helm, region, OLD)
    async with cluster(region) as here:
        for _ in range(100):
            workload = (await here.observe("shop", CONTEXT)).blue.workload
            if workload is not None and workload.failure is not None:
                break
            await asyncio.sleep(0.05)
    assert workload is not None
    assert workload.failure is not None
    assert "exceeded quota" in workload.failure
