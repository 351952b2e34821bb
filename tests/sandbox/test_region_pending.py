"""What a Helm that was killed leaves behind, and how it is cleared."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from region import CHART, CONTEXT, TestRegion, cache_folder, make_region

from clients.cluster import Cluster
from clients.helm import Helm, Place
from clients.helm_errors import Pending
from clients.tools import ensure_helm
from release.live import unblock_revision
from sandbox.admin import Admin

pytestmark = pytest.mark.slow
VALUES = {"application": "shop", "slot": "blue", "image": {"repository": "r/shop", "digest": "sha256:" + "a" * 64}}


@pytest.fixture
async def region(control_plane: Admin, namespace: str, tmp_path: Path) -> TestRegion:
    return await make_region(control_plane, namespace, tmp_path)


async def upgrade(helm: Helm, region: TestRegion, replicas: int) -> None:
    at, values = Place(CONTEXT, region.namespace), {**VALUES, "replicas": replicas}
    await helm.upgrade(at, "shop-blue", CHART, values, labels={}, description="", timeout=90)


async def kill_during_upgrade(executable: Path, region: TestRegion) -> None:
    """Start an upgrade that waits for pods which never come, and kill it there as a crash would."""
    where = ("--kubeconfig", str(region.kubeconfig), "--kube-context", CONTEXT, "-n", region.namespace)
    sets = ("--set", f"application=shop,slot=blue,image.repository=r/shop,image.digest=sha256:{'b' * 64}")
    argv = ("upgrade", "--install", "shop-blue", str(CHART), *sets, "--wait", "--timeout", "60s", *where)
    process = await asyncio.create_subprocess_exec(
        str(executable), *argv, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    async with Cluster(region.kubeconfig, CONTEXT, region.namespace) as here:
        while True:
            found = (await here.observe("shop", CONTEXT)).blue
            if found.release and found.release.status.startswith("pending-") and found.workload:
                break
            await asyncio.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    await process.wait()


@pytest.mark.parametrize("earlier", [0, 2])
async def test_a_killed_helm_blocks_the_next_until_it_is_cleared(
    region: TestRegion, tmp_path: Path, earlier: int
) -> None:
    executable = await ensure_helm(cache_folder(), print)
    helm, at = Helm(str(executable), region.kubeconfig, cache=tmp_path / "kube"), Place(CONTEXT, region.namespace)
    for replicas in range(1, earlier + 1):
        await upgrade(helm, region, replicas)
    await kill_during_upgrade(executable, region)
    with pytest.raises(Pending, match="rollback"):
        await upgrade(helm, region, 3)
    history = await helm.history(at, "shop-blue")
    assert history[-1].status == ("pending-upgrade" if earlier else "pending-install")
    assert [(one.name, one.status) for one in await helm.list(at)] == [("shop-blue", history[-1].status)]
    revision = unblock_revision([(one.revision, one.status) for one in history])
    assert revision == (earlier or None)
    await (helm.rollback(at, "shop-blue", revision) if revision else helm.uninstall(at, "shop-blue"))
    await upgrade(helm, region, 3)
    async with Cluster(region.kubeconfig, CONTEXT, region.namespace) as here:
        workload = (await here.observe("shop", CONTEXT)).blue.workload
    assert workload is not None
    assert (workload.replicas, workload.digest) == (3, "sha256:" + "a" * 64)


async def test_of_two_upgrades_at_once_none_is_left_pending(region: TestRegion, tmp_path: Path) -> None:
    executable = await ensure_helm(cache_folder(), print)
    helm, at = Helm(str(executable), region.kubeconfig, cache=tmp_path / "kube"), Place(CONTEXT, region.namespace)
    await upgrade(helm, region, 1)
    ends = await asyncio.gather(*(upgrade(helm, region, count) for count in (2, 3, 4)), return_exceptions=True)
    assert any(end is None for end in ends)
    assert all(end is None or type(end).__name__ in ("Conflict", "Pending") for end in ends), ends
    assert (await helm.history(at, "shop-blue"))[-1].status == "deployed"
