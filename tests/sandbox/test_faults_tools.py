"""The real helm and kubectl behind a region's proxy: nothing lost when it works, and short faults are survived."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clients import process, tools
from clients.helm_errors import from_stderr
from release.errors import Unavailable
from sandbox.controlplane.run import ControlPlane
from sandbox.faultproxy import Fault, FaultProxy
from sandbox.ports import free_ports
from sandbox.regions import RegionPlan, ensure_regions, random_secrets

pytestmark = pytest.mark.slow
NAME = "production-tools"
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: small\nversion: 1.0.0\n",
    "templates/service.yaml": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: small}\nspec: {ports: [{port: {{ .Values.port }}}]}\n"
    ),
}


class Region:
    """One region, and the tools pointed at it."""

    def __init__(self, proxy: FaultProxy, kubeconfig: Path, helm: Path, kubectl: Path, chart: Path) -> None:
        self.proxy, self.chart, self._helm, self._kubectl = proxy, chart, helm, kubectl
        self._env = {**os.environ, "KUBECONFIG": str(kubeconfig)}

    async def helm(self, *arguments: str) -> process.Completed:
        argv = [str(self._helm), "--kube-context", NAME, *arguments]
        return await process.run(argv, env=self._env, timeout=60)

    async def kubectl(self, *arguments: str) -> process.Completed:
        return await process.run([str(self._kubectl), "--context", NAME, *arguments], env=self._env, timeout=60)

    async def upgrade(self, port: int) -> process.Completed:
        return await self.helm("upgrade", "--install", "small", str(self.chart), "--set", f"port={port}")


@pytest.fixture
async def region(running: ControlPlane, tmp_path: Path, machine_cache: Path) -> AsyncIterator[Region]:
    proxy = FaultProxy("kubernetes", "127.0.0.1", running.port, tls=(running.certificate, running.key))
    await proxy.start()
    plan = RegionPlan("tools", NAME, NAME, f"https://{proxy.address}", *free_ports(3))
    kubeconfig = tmp_path / "kubeconfig"
    authority = running.certificate.read_bytes()
    await ensure_regions(running.admin, [plan], kubeconfig, authority=authority, values=random_secrets())
    for name, content in CHART.items():
        file = tmp_path / "chart" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    helm = await tools.ensure_helm(machine_cache, print)
    kubectl = await tools.ensure_kubectl(machine_cache, print)
    yield Region(proxy, kubeconfig, helm, kubectl, tmp_path / "chart")
    await proxy.stop()


async def test_both_work_through_the_proxy(region: Region) -> None:
    done = await region.upgrade(80)
    assert done.code == 0, done.stderr
    done = await region.kubectl("get", "service", "small", "-o", "jsonpath={.spec.ports[0].port}")
    assert done.stdout == "80", done.stderr


@pytest.mark.parametrize("fault", [Fault("429", retry_after=1), Fault("down"), Fault("slow", 0.2)])
async def test_a_short_fault_is_survived(region: Region, fault: Fault) -> None:
    await region.proxy.set(fault)
    upgrading = asyncio.create_task(region.upgrade(81))
    await asyncio.sleep(1)
    await region.proxy.set(Fault())
    done = await upgrading
    assert done.code == 0, done.stderr


async def test_a_cut_connection_is_survived_or_told_as_an_outage(region: Region) -> None:
    await region.proxy.set(Fault("cut", 0.2))
    done = await region.upgrade(81)
    await region.proxy.set(Fault())
    if done.code:
        assert isinstance(from_stderr(done.stderr, "upgrade", NAME, "small"), Unavailable)
        history = json.loads((await region.helm("history", "small", "-o", "json")).stdout)
        if history[-1]["status"].startswith("pending-"):
            assert (await region.helm("rollback", "small", "1")).code == 0
    assert (await region.upgrade(81)).code == 0


async def test_a_closed_port_is_not_tried_again(region: Region) -> None:
    await region.proxy.set(Fault("refused"))
    done = await region.upgrade(82)
    assert done.code == 1
    assert "connection refused" in done.stderr
    await region.proxy.set(Fault())
    assert (await region.upgrade(82)).code == 0


async def test_an_answer_of_500_ends_both(region: Region) -> None:
    await region.proxy.set(Fault("500"))
    for done in (await region.kubectl("get", "pods"), await region.upgrade(83)):
        assert done.code == 1
        assert "an error on the server" in done.stderr
