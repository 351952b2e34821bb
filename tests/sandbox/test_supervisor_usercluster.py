"""The sandbox on a cluster that is there already, in place of a control plane of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clients.process import run
from sandbox import kubeconfig
from sandbox.controlplane import build
from sandbox.controlplane.build import Binaries
from sandbox.controlplane.run import ControlPlane
from sandbox.options import Options
from sandbox.supervisor import Sandbox

pytestmark = pytest.mark.slow


@pytest.fixture
async def cluster(binaries: Binaries, tmp_path: Path) -> AsyncIterator[ControlPlane]:
    plane = ControlPlane(tmp_path / "cluster", binaries)
    await plane.start()
    yield plane
    await plane.stop()


async def test_regions_are_made_on_the_users_cluster(
    cluster: ControlPlane, machine_cache: Path, tmp_path: Path
) -> None:
    admin, given = cluster.admin, tmp_path / "given"
    kubeconfig.write(given, [kubeconfig.Access("kind", admin.server, admin.ca_file.read_bytes(), admin.token)])
    options = Options(prefect=False, engine=False, services=False, regions=1, kubeconfig=str(given))
    async with Sandbox(tmp_path / "home", machine_cache, options) as sandbox:
        assert sandbox.cluster.pids == {}
        assert sandbox.cluster.version == build.VERSION
        assert await sandbox.cluster.minor() == build.MINOR
        (kubernetes,) = [part for part in sandbox.progress.parts if part.name == "kubernetes"]
        assert kubernetes.detail.startswith(f"{build.VERSION}, the cluster of ")
        kubectl = [str(sandbox.kubectl), "--kubeconfig", str(sandbox.kubeconfig), "--context", "production-us-east-1"]
        done = await run([*kubectl, "get", "secrets", "-o", "name"], timeout=60)
        assert "secret/shop-secrets" in done.stdout, done.stderr
        await sandbox.faults.set("kubernetes", "500", "us-east-1", None)
        assert (await run([*kubectl, "get", "secrets"], timeout=60)).code != 0
    assert len(cluster.pids) == 3
