"""The control plane starts fast on new data and on old, survives being killed, and says why it does not start."""

from __future__ import annotations

import os
import signal
import ssl
import time
from pathlib import Path

import httpx
import pytest
from kubernetes.aio import client

from release.errors import Unavailable
from sandbox.admin import Admin
from sandbox.controlplane.build import Binaries
from sandbox.controlplane.run import ControlPlane


def megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@pytest.mark.slow
async def test_it_is_small_and_keeps_its_data_over_a_kill(tmp_path: Path, binaries: Binaries) -> None:
    plane = ControlPlane(tmp_path, binaries)
    started = time.monotonic()
    admin = await plane.start()
    try:
        print(f"ready after {time.monotonic() - started:.1f} s")
        assert sum(map(megabytes, plane.pids.values())) < 550
        async with admin.client() as api:
            await client.CoreV1Api(api).create_namespaced_config_map("default", {"metadata": {"name": "kept"}})
        for pid in plane.pids.values():
            os.kill(pid, signal.SIGKILL)
        await plane.stop()
        again = ControlPlane(tmp_path, binaries)
        try:
            async with (await again.start()).client() as api:
                await client.CoreV1Api(api).read_namespaced_config_map("kept", "default")
        finally:
            await again.stop()
    finally:
        await plane.stop()


@pytest.mark.slow
async def test_a_deployment_becomes_pods_and_routes_are_known(control_plane: Admin, namespace: str) -> None:
    labels = {"app": "x"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    body = {"metadata": {"name": "x"}, "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod}}
    async with control_plane.client() as api:
        await client.AppsV1Api(api).create_namespaced_deployment(namespace, body)
        core, found = client.CoreV1Api(api), []
        end = time.monotonic() + 10
        while len(found) < 2 and time.monotonic() < end:
            found = (await core.list_namespaced_pod(namespace)).items
        assert len(found) == 2
        routes = await client.CustomObjectsApi(api).list_namespaced_custom_object(
            "gateway.networking.k8s.io", "v1", namespace, "httproutes"
        )
        assert routes["items"] == []


@pytest.mark.slow
async def test_clients_see_the_pinned_version_and_strangers_see_nothing(control_plane: Admin) -> None:
    async with control_plane.client() as api:
        assert (await client.VersionApi(api).get_code()).git_version == "v1.37.2"
    async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=control_plane.ca_file)) as stranger:
        answer = await stranger.get(f"{control_plane.server}/api/v1/namespaces")
    assert answer.status_code in (401, 403)


async def test_a_server_that_ends_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    broken = tmp_path / "etcd"
    broken.write_text("#!/bin/sh\necho disk is full >&2\nexit 3\n")
    broken.chmod(0o755)
    plane = ControlPlane(tmp_path / "data", Binaries(broken, broken, broken))
    with pytest.raises(Unavailable, match=r"etcd ended with code 3(.|\n)*disk is full"):
        await plane.start()
    assert plane.pids == {}
