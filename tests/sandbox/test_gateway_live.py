"""The gateway on a real control plane: what is done with the API there, users see within a second."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from gateway_objects import ref, rule
from kubernetes.aio import client

from sandbox.admin import Admin
from sandbox.controlplane.build import Binaries
from sandbox.controlplane.crds import apply_crds
from sandbox.controlplane.run import ControlPlane
from sandbox.gateway import Gateway
from sandbox.ports import free_port
from sandbox.world import Behaviour, RunningPod, World

pytestmark = pytest.mark.slow

GROUP = ("gateway.networking.k8s.io", "v1")
NODE = "gateway-test"
GATEWAY_CLASS = {
    "apiVersion": "/".join(GROUP),
    "kind": "GatewayClass",
    "metadata": {"name": "tidegate-sandbox"},
    "spec": {"controllerName": "tidegate.dev/sandbox-gateway"},
}


class Region:
    """A namespace with the objects of a region, and pods whose status this test sets as a node would."""

    def __init__(self, api: client.ApiClient, namespace: str, world: World) -> None:
        self.core, self.custom = client.CoreV1Api(api), client.CustomObjectsApi(api)
        self.namespace, self.world = namespace, world
        self.port = free_port()

    async def make(self) -> None:
        ports = {"web": self.port, "preview-blue": free_port(), "preview-green": free_port()}
        await self.create(
            "gateways",
            "Gateway",
            "tidegate",
            {
                "gatewayClassName": "tidegate-sandbox",
                "listeners": [{"name": n, "port": p, "protocol": "HTTP"} for n, p in ports.items()],
            },
        )
        for slot in ("blue", "green"):
            await self.core.create_namespaced_service(
                self.namespace,
                {
                    "metadata": {"name": f"shop-{slot}"},
                    "spec": {"selector": {"slot": slot}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
                },
            )
        await self.create(
            "httproutes",
            "HTTPRoute",
            "shop",
            {
                "parentRefs": [{"name": "tidegate", "sectionName": "web"}],
                "rules": [rule(ref("shop-blue", 100), ref("shop-green", 0))],
            },
        )

    async def create(self, plural: str, kind: str, name: str, spec: dict[str, Any]) -> None:
        body = {"apiVersion": "/".join(GROUP), "kind": kind, "metadata": {"name": name}, "spec": spec}
        await self.custom.create_namespaced_custom_object(*GROUP, self.namespace, plural, body)

    async def route(self) -> dict[str, Any]:
        return await self.custom.get_namespaced_custom_object(*GROUP, self.namespace, "httproutes", "shop")

    async def weigh(self, blue: int, green: int) -> None:
        patch = {"spec": {"rules": [rule(ref("shop-blue", blue), ref("shop-green", green))]}}
        await self.custom.patch_namespaced_custom_object(
            *GROUP, self.namespace, "httproutes", "shop", patch, _content_type="application/merge-patch+json"
        )

    async def pod(self, name: str, slot: str, version: str, address: str) -> None:
        made = await self.core.create_namespaced_pod(
            self.namespace,
            {
                "metadata": {"name": name, "labels": {"slot": slot}},
                "spec": {
                    "containers": [{"name": "shop", "image": "shop", "ports": [{"containerPort": 8080}]}],
                    "nodeName": NODE,
                    "automountServiceAccountToken": False,
                },
            },
        )
        await self.core.patch_namespaced_pod_status(
            name,
            self.namespace,
            {
                "status": {
                    "phase": "Running",
                    "podIP": address,
                    "podIPs": [{"ip": address}],
                    "conditions": [{"type": "Ready", "status": "True"}],
                }
            },
        )
        uid = made.metadata.uid
        self.world.pods[uid] = RunningPod(
            uid, name, self.namespace, "us-east-1", version, "production", Behaviour(), ready=True
        )

    async def delete(self, name: str) -> None:
        uid = next(uid for uid, pod in self.world.pods.items() if pod.name == name)
        # It dies before anybody hears of it.
        del self.world.pods[uid]
        await self.core.delete_namespaced_pod(name, self.namespace, grace_period_seconds=0)


@pytest.fixture
async def region(control_plane: Admin, namespace: str) -> AsyncIterator[Region]:
    async with control_plane.client() as api:
        region = Region(api, namespace, World({namespace: "us-east-1"}))
        # The endpoint slice controller passes over pods whose node it does not know.
        await region.core.create_node({"metadata": {"name": NODE}})
        yield region
        await region.core.delete_node(NODE)


@pytest.fixture
async def gateway(control_plane: Admin, region: Region) -> AsyncIterator[Gateway]:
    gateway = Gateway(control_plane, region.world, rate=100)
    await gateway.start()
    yield gateway
    await gateway.stop()


async def within(seconds: float, holds: Callable[[], bool]) -> float:
    """How long it took until `holds`."""
    begun = time.monotonic()
    while not holds():
        # The bound says what is expected of an idle machine; a test that shares one gets ten times as long.
        assert time.monotonic() - begun < 10 * seconds, "took too long"
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


async def seen(gateway: Gateway, seconds: float = 0.4) -> dict[int, int]:
    """What users get in the next moment: code -> how often."""
    before = dict(gateway.totals("us-east-1").codes)
    await asyncio.sleep(seconds)
    after = gateway.totals("us-east-1").codes
    return {code: number - before.get(code, 0) for code, number in after.items() if number > before.get(code, 0)}


async def becomes(read: Callable[[], Awaitable[Any]], wanted: object) -> None:
    """Until that is what is read; expected within a second of an idle machine."""
    begun = time.monotonic()
    while (found := await read()) != wanted:
        assert time.monotonic() - begun < 10, found
        await asyncio.sleep(0.1)


async def only(gateway: Gateway, code: int) -> None:
    """Until users get that and nothing else."""

    async def codes() -> set[int]:
        return set(await seen(gateway))

    await becomes(codes, {code})


async def test_users_see_what_is_done_with_the_api(gateway: Gateway, region: Region) -> None:
    users = gateway.totals("us-east-1")
    await region.make()
    await within(2, lambda: users.codes[503] > 0)
    await region.pod("blue-1", "blue", "1.4.0", "10.1.0.1")
    await region.pod("blue-2", "blue", "1.4.0", "10.1.0.2")
    await within(2, lambda: all(pod.requests > 0 for pod in region.world.pods.values()))
    await only(gateway, 200)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{region.port}") as http:
        assert (await http.get("/version")).json()["version"] == "1.4.0"
        assert (await http.get("/health")).json() == {"status": "ok", "version": "1.4.0"}

        # One pod dies: 502 for its share, until the endpoints are known to have changed.
        errors = users.codes[502]
        await region.delete("blue-2")
        await within(1, lambda: users.codes[502] > errors)
        await only(gateway, 200)

        # The route is edited.
        await region.pod("green-1", "green", "1.5.0", "10.1.0.3")
        green = next(pod for pod in region.world.pods.values() if pod.name == "green-1")
        await within(1, lambda: "1.5.0" in str(gateway.snapshot()))
        await region.weigh(0, 100)
        await within(1, lambda: green.requests > 0)
        await only(gateway, 200)
        assert (await http.get("/version")).json()["version"] == "1.5.0"

    # A selector is broken: no pod is behind the Service.
    await region.core.patch_namespaced_service("shop-green", region.namespace, {"spec": {"selector": {"slot": "nope"}}})
    await only(gateway, 503)
    await becomes(lambda: conditions(region), {"Accepted": "True", "ResolvedRefs": "True"})

    # The Service itself goes.
    await region.core.delete_namespaced_service("shop-green", region.namespace)
    await only(gateway, 500)
    await becomes(lambda: conditions(region), {"Accepted": "True", "ResolvedRefs": "False"})
    assert users.causes.keys() == {"unready", "ended", "missing"}

    # The route goes.
    await region.custom.delete_namespaced_custom_object(*GROUP, region.namespace, "httproutes", "shop")
    await only(gateway, 404)


async def conditions(region: Region) -> dict[str, str]:
    """What the route's status says."""
    route = await region.route()
    [parent] = route["status"]["parents"]
    assert parent["controllerName"] == "tidegate.dev/sandbox-gateway"
    assert parent["parentRef"]["sectionName"] == "web"
    return {each["type"]: each["status"] for each in parent["conditions"]}


async def test_weights_are_exact_and_in_force_soon(gateway: Gateway, region: Region) -> None:
    await region.make()
    await region.pod("blue-1", "blue", "1.4.0", "10.1.0.1")
    await region.pod("green-1", "green", "1.5.0", "10.1.0.3")
    blue, green = sorted(region.world.pods.values(), key=lambda pod: pod.name)
    await within(2, lambda: blue.requests > 0)
    gateway.users.set_rate(2000)
    begun = time.monotonic()
    await region.weigh(90, 10)
    took = await within(1, lambda: green.requests > 0)
    print(f"a weight was in force {took:.2f} s after its write took {time.monotonic() - begun - took:.2f} s")
    await asyncio.sleep(0.3)
    start = blue.requests, green.requests
    await within(3, lambda: blue.requests - start[0] >= 1800)
    share = (green.requests - start[1]) / (blue.requests - start[0] + green.requests - start[1])
    assert share == pytest.approx(0.1, abs=0.001)
    assert gateway.totals("us-east-1").causes.keys() <= {"unready"}
    [shown] = [each for each in gateway.snapshot() if each["region"] == "us-east-1"]
    assert [slot["versions"] for slot in shown["routes"][0]["slots"]] == [{"1.4.0": 1}, {"1.5.0": 1}]
    assert json.dumps(shown)


async def test_users_do_not_notice_that_the_api_server_is_away(
    binaries: Binaries, crds: tuple[Path, ...], tmp_path: Path
) -> None:
    plane = ControlPlane(tmp_path, binaries)
    admin = await plane.start()
    try:
        await apply_crds(admin, crds)
        async with admin.client() as api:
            region = Region(api, "default", World({"default": "us-east-1"}))
            await region.core.create_node({"metadata": {"name": NODE}})
            await region.custom.create_cluster_custom_object(*GROUP, "gatewayclasses", GATEWAY_CLASS)
            gateway = Gateway(admin, region.world, rate=100)
            await gateway.start()
            try:
                made = await region.custom.get_cluster_custom_object(*GROUP, "gatewayclasses", "tidegate-sandbox")
                assert [c["status"] for c in made["status"]["conditions"] if c["type"] == "Accepted"] == ["True"]
                await live_through_an_outage(plane, region, gateway)
            finally:
                await gateway.stop()
    finally:
        await plane.stop()


async def live_through_an_outage(plane: ControlPlane, region: Region, gateway: Gateway) -> None:
    await region.make()
    await region.pod("blue-1", "blue", "1.4.0", "10.1.0.1")
    await region.pod("green-1", "green", "1.5.0", "10.1.0.3")
    blue, green = sorted(region.world.pods.values(), key=lambda pod: pod.name)
    await within(2, lambda: blue.requests > 0)
    await plane.stop()
    assert set(await seen(gateway, 2)) == {200}
    await plane.start()
    assert set(await seen(gateway)) == {200}
    await asyncio.sleep(1)
    await region.weigh(50, 50)
    took = await within(1, lambda: green.requests > 0)
    print(f"after the outage a weight was in force {took:.2f} s after its write")


async def test_the_gateways_status_is_written(gateway: Gateway, region: Region) -> None:
    await region.make()
    await becomes(lambda: listeners(region), {"web": 1, "preview-blue": 0, "preview-green": 0})


async def listeners(region: Region) -> dict[str, int]:
    """How many routes each listener has, of a Gateway that is accepted and programmed."""
    got = await region.custom.get_namespaced_custom_object(*GROUP, region.namespace, "gateways", "tidegate")
    stands = {each["type"]: each["status"] for each in got.get("status", {}).get("conditions", ())}
    if stands != {"Accepted": "True", "Programmed": "True"}:
        return {}
    return {each["name"]: each["attachedRoutes"] for each in got["status"]["listeners"]}
