"""The simulated node on a real control plane: what goes wrong with a pod, told as a real kubelet tells it."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

import pytest
from node_bench import HOST, Json, bench, container, is_ready, waits_for

from sandbox.admin import Admin

pytestmark = pytest.mark.slow


def unready(pod: Json) -> bool:
    return bool(container(pod)) and not is_ready(pod)


async def test_a_crash_ends_in_back_off_with_its_exit_code(control_plane: Admin, namespace: str) -> None:
    async with bench(control_plane, namespace, speed=1) as one:
        one.registry.push("bad", crash="eu-west-1,us-east-1", crash_code="3")
        await one.deploy("bad")
        (pod,) = await one.until(waits_for("CrashLoopBackOff"))
        status = container(pod)
        assert status["restartCount"] == 1
        assert status["lastState"]["terminated"]["exitCode"] == 3
        assert status["lastState"]["terminated"]["reason"] == "Error"
        message = status["state"]["waiting"]["message"]
        assert message.startswith("back-off 10s restarting failed container=shop pod=shop-")
        assert pod["status"]["phase"] == "Running"
        assert not is_ready(pod)
        assert "Back-off restarting failed container shop" in (await one.events("BackOff"))[0]
        assert not any(known.serving for known in one.running.values())


async def test_a_version_that_crashes_elsewhere_runs_here(control_plane: Admin, namespace: str) -> None:
    async with bench(control_plane, namespace) as one:
        one.registry.push("bad", crash="ap-southeast-1")
        await one.deploy("bad")
        await one.until(is_ready)


async def test_a_missing_image_is_pulled_as_soon_as_it_is_there(control_plane: Admin, namespace: str) -> None:
    async with bench(control_plane, namespace) as one:
        await one.deploy("1.9.0")
        (pod,) = await one.until(waits_for("ImagePullBackOff"))
        message = container(pod)["state"]["waiting"]["message"]
        assert message.startswith(
            f'Back-off pulling image "{HOST}/shop:1.9.0": ErrImagePull: rpc error: code = NotFound'
        )
        assert pod["status"]["phase"] == "Pending"
        assert any("Failed to pull image" in text for text in await one.events("Failed"))
        one.registry.push("1.9.0")
        await one.until(is_ready)


@pytest.mark.parametrize(("image", "down"), [(f"{HOST}/shop:1.4.0", True), ("nginx:1", False)])
async def test_a_registry_that_does_not_answer(control_plane: Admin, namespace: str, image: str, down: bool) -> None:
    async with bench(control_plane, namespace) as one:
        one.registry.down = down
        await one.deploy("", image=image)
        await one.until(waits_for("ImagePullBackOff"))


async def test_a_missing_secret_holds_the_container_back(control_plane: Admin, namespace: str) -> None:
    reference = {"secretKeyRef": {"name": "shop-secrets", "key": "API_KEY"}}
    async with bench(control_plane, namespace) as one:
        await one.deploy("1.4.0", env=[{"name": "API_KEY", "valueFrom": reference}])
        (pod,) = await one.until(waits_for("CreateContainerConfigError"))
        assert container(pod)["state"]["waiting"]["message"] == 'secret "shop-secrets" not found'
        value = base64.b64encode(b"x").decode()
        await one.create("secrets", {"metadata": {"name": "shop-secrets"}, "data": {"API_KEY": value}})
        await one.until(is_ready)


async def test_a_pod_without_room_waits_for_it(control_plane: Admin, namespace: str) -> None:
    async with bench(control_plane, namespace, nodes=2, cpu="1") as one:
        await one.deploy("1.4.0", resources={"requests": {"cpu": "1500m"}})
        (pod,) = await one.until(lambda pod: bool(pod["status"].get("conditions")))
        (condition,) = pod["status"]["conditions"]
        assert (condition["type"], condition["status"], condition["reason"]) == (
            "PodScheduled",
            "False",
            "Unschedulable",
        )
        assert condition["message"].startswith("0/2 nodes are available: 2 Insufficient cpu.")
        assert await one.events("FailedScheduling") == [condition["message"]]
        await one.patch("deployments", "shop", _requests("500m"))
        await one.until(is_ready)


def _requests(cpu: str) -> Json:
    shop = {"name": "shop", "image": f"{HOST}/shop:1.4.0", "resources": {"requests": {"cpu": cpu}}}
    return {
        "spec": {"strategy": {"rollingUpdate": {"maxUnavailable": 1}}, "template": {"spec": {"containers": [shop]}}}
    }


@pytest.mark.parametrize(
    ("image", "probe", "says"),
    [
        ("never", {"path": "/health", "port": "http"}, "HTTP probe failed with statuscode: 503"),
        ("1.4.0", {"path": "/health", "port": 9999}, "connect: connection refused"),
        ("1.4.0", {"path": "/none", "port": "http"}, "HTTP probe failed with statuscode: 404"),
    ],
)
async def test_readiness_refused(
    control_plane: Admin, namespace: str, image: str, probe: dict[str, Any], says: str
) -> None:
    async with bench(control_plane, namespace) as one:
        one.registry.push("never", never_ready="everywhere")
        await one.deploy(image, readinessProbe={"httpGet": probe})
        (pod,) = await one.until(unready)
        assert says in (await one.events("Unhealthy"))[0]
        ready = next(c for c in pod["status"]["conditions"] if c["type"] == "Ready")
        assert (ready["reason"], ready["message"]) == (
            "ContainersNotReady",
            "containers with unready status: [shop]",
        )


async def test_a_failing_liveness_probe_restarts(control_plane: Admin, namespace: str) -> None:
    probe = {"httpGet": {"path": "/none", "port": "http"}, "periodSeconds": 1, "failureThreshold": 1}
    async with bench(control_plane, namespace) as one:
        await one.deploy("1.4.0", livenessProbe=probe)
        (pod,) = await one.until(lambda pod: container(pod).get("restartCount", 0) >= 1)
        assert container(pod)["lastState"]["terminated"]["exitCode"] == 137
        assert await one.events("Killing") == ["Container shop failed liveness probe, will be restarted"]


async def test_behaviour_changes_while_it_runs(control_plane: Admin, namespace: str) -> None:
    async with bench(control_plane, namespace) as one:
        await one.deploy("1.4.0")
        await one.until(is_ready)
        one.world.overrides[("us-east-1", "1.4.0")] = {"never_ready": True}
        await one.until(unready)
        one.world.overrides.clear()
        await one.until(is_ready)
        one.world.overrides[("*", "1.4.0")] = {"crashes": True, "crash_code": 9}
        (pod,) = await one.until(waits_for("CrashLoopBackOff"))
        assert container(pod)["lastState"]["terminated"]["exitCode"] == 9
        one.world.overrides.clear()
        await one.until(is_ready)


@pytest.mark.parametrize(("url", "phase", "code"), [("http://good/", "Succeeded", 0), ("http://bad/", "Failed", 1)])
async def test_a_chart_test_ends_as_the_gateway_answers(
    control_plane: Admin, namespace: str, url: str, phase: str, code: int
) -> None:
    test = {"name": "test", "image": f"{HOST}/shop:1.4.0", "command": ["wget", "-q"], "args": [url]}
    async with bench(control_plane, namespace) as one:
        await one.create("pods", {"metadata": {"name": "t"}, "spec": {"restartPolicy": "Never", "containers": [test]}})
        (pod,) = await one.until(lambda pod: pod["status"].get("phase") == phase)
        ended = container(pod)["state"]["terminated"]
        assert ended["exitCode"] == code
        assert ended["message"] == f"GET {url} answered {503 if code else 200}"


async def test_a_job_is_counted_by_its_controller(control_plane: Admin, namespace: str) -> None:
    work = {"name": "work", "image": f"{HOST}/shop:1.4.0", "env": [{"name": "URL", "value": "http://bad/"}]}
    job = {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [work]}}}
    async with bench(control_plane, namespace) as one:
        await one.create("jobs", {"metadata": {"name": "migrate"}, "spec": job})
        began = time.monotonic()
        while time.monotonic() - began < 10:
            _, found = await one.api.insist("GET", one.path("jobs", "migrate"))
            if found["status"].get("failed") == 1:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(found["status"])
