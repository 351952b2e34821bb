"""The simulated node on a real control plane: a pod's good life and its end."""

from __future__ import annotations

import asyncio
import time

import pytest
from node_bench import HOST, Bench, bench, container, is_ready

from sandbox.admin import Admin
from sandbox.faultproxy import OK, Fault, FaultProxy

pytestmark = pytest.mark.slow


async def test_ten_replicas_are_ready_soon_and_known_to_the_gateway(control_plane: Admin, namespace: str) -> None:
    async with bench(control_plane, namespace, speed=1) as one:
        began = time.monotonic()
        await one.deploy("1.4.0", replicas=10, env=[{"name": "ENVIRONMENT", "value": "production"}])
        pods = await one.until(is_ready, count=10)
        assert time.monotonic() - began < 30  # half a second on an idle machine
        digest = one.registry.push("1.4.0")
        assert {container(pod)["imageID"] for pod in pods} == {f"{HOST}/shop@{digest}"}
        assert len({pod["status"]["podIP"] for pod in pods}) == 10
        known = one.world.pods[pods[0]["metadata"]["uid"]]
        assert (known.version, known.environment, known.region) == ("1.4.0", "production", "us-east-1")
        assert (known.serving, known.ready, known.ports, known.commit) == (True, True, (8080,), "a" * 40)
        assert (await one.events("Pulled"))[0] == f'Successfully pulled image "{HOST}/shop:1.4.0"'


async def test_a_deleted_pod_serves_through_its_pause_and_is_gone(control_plane: Admin, namespace: str) -> None:
    async with bench(control_plane, namespace) as one:
        await one.deploy("1.4.0", lifecycle={"preStop": {"sleep": {"seconds": 2}}})
        (pod,) = await one.until(is_ready)
        known = one.world.pods[pod["metadata"]["uid"]]
        await one.patch("deployments", "shop", {"spec": {"replicas": 0}})
        await one.until(lambda pod: "deletionTimestamp" in pod["metadata"])
        await asyncio.sleep(0.5)
        assert known.serving
        await one.gone()
        assert not known.serving
        assert await one.pods() == []


async def test_an_application_that_stops_at_sigterm_answers_nothing_more(control_plane: Admin, namespace: str) -> None:
    async with bench(control_plane, namespace) as one:
        one.registry.push("rude", stops_at_sigterm="true")
        # A graceful one drains for a second.
        assert await ending(one, "rude") + 0.5 < await ending(one, "1.4.0")


async def ending(one: Bench, tag: str) -> float:
    """Seconds from the word that it is to end until nothing of it serves."""
    await one.deploy(tag)
    await one.until(is_ready)
    began = time.monotonic()
    await one.patch("deployments", "shop", {"spec": {"replicas": 0}})
    await one.gone()
    took = time.monotonic() - began
    await one.api.insist("DELETE", one.path("deployments", "shop"), {})
    return took


async def test_a_new_node_takes_over_what_runs(control_plane: Admin, namespace: str) -> None:
    async with bench(control_plane, namespace) as one:
        await one.deploy("1.4.0", replicas=2)
        before = await one.until(is_ready, count=2)
    async with bench(control_plane, namespace) as one:
        one.registry.down = True
        await asyncio.sleep(0.3)
        assert [pod["status"] for pod in await one.pods()] == [pod["status"] for pod in before]
        one.registry.down = False
        for _ in range(200):
            if sum(known.serving and known.ready for known in one.running.values()) == 2:
                break
            await asyncio.sleep(0.05)
        after = await one.pods()
        assert [pod["status"] for pod in after] == [pod["status"] for pod in before]
        assert {known.version for known in one.running.values()} == {"1.4.0"}
        assert all(known.serving and known.ready for known in one.running.values())


@pytest.mark.parametrize("mode", ["down", "refused"])
async def test_no_pod_is_lost_while_the_api_server_is_away(control_plane: Admin, namespace: str, mode: str) -> None:
    port = int(control_plane.server.rpartition(":")[2])
    proxy = FaultProxy("kubernetes", "127.0.0.1", port)
    await proxy.start()
    node_admin = Admin(f"https://{proxy.address}", control_plane.ca_file, control_plane.token)
    try:
        async with bench(control_plane, namespace, node_admin=node_admin) as one:
            await one.deploy("1.4.0", replicas=2)
            old = await one.until(is_ready, count=2)
            await proxy.set(Fault(mode))  # type: ignore[arg-type]
            await one.patch("deployments", "shop", {"spec": {"replicas": 5}})
            for pod in old:
                await one.api.insist("DELETE", one.path("pods", pod["metadata"]["name"]), {"gracePeriodSeconds": 0})
            await asyncio.sleep(1)
            assert len(one.running) == 2  # what runs goes on running
            await proxy.set(OK)
            ready = await one.until(is_ready, count=5)
            assert set(one.running) == {pod["metadata"]["uid"] for pod in ready}
    finally:
        await proxy.stop()
