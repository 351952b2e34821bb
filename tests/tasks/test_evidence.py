"""What a condemned version's pods said, read from an API server that answers, that refuses, and that hangs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakeapi import FakeApi, status, write_kubeconfig
from prefect.logging import disable_run_logger

from config import load
from release import names
from release.environment import Environment, Region, SecretRef
from release.model import Artifact
from tasks import evidence

ARTIFACT = Artifact("1.5.0", "sha256:" + "1" * 64, "a" * 40)
SHOP = "/api/v1/namespaces/shop"
LISTS = (
    f"{SHOP}/pods",
    f"{SHOP}/secrets",
    "/apis/apps/v1/namespaces/shop/deployments",
    "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers",
)
POD: dict[str, Any] = {
    "metadata": {
        "name": "shop-blue-1",
        "creationTimestamp": "2026-11-23T05:00:00Z",
        "labels": {names.SLOT_LABEL: "blue"},
    },
    "spec": {"containers": [{"name": "application", "image": f"shop@{ARTIFACT.digest}"}]},
}
EVENT = {
    "metadata": {"name": "shop-blue-1.1", "creationTimestamp": "2026-11-23T05:00:01Z"},
    "involvedObject": {"name": "shop-blue-1"},
    "type": "Warning",
    "reason": "Unhealthy",
    "message": "Readiness probe failed: no database with s3cret-password",
}


@pytest.fixture
async def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeApi]:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEGATE__KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("SHOP_PASSWORD", "s3cret-password")
    fake, app = FakeApi(tmp_path / "kubeconfig"), web.Application()
    fake.answers = {("GET", path): {"items": []} for path in LISTS}
    app.router.add_route("*", "/{path:.*}", fake.handle)
    async with TestServer(app) as server:
        write_kubeconfig(fake.kubeconfig, str(server.make_url("")))
        with disable_run_logger():
            yield fake


def place() -> tuple[Environment, Region]:
    environment = load.environment("production")
    environment = replace(environment, secrets={"DATABASE": SecretRef("env", "SHOP_PASSWORD")})
    region = next(iter(environment.regions.values()))
    return environment, replace(region, name="us-east-1", context="here", namespace="shop")


async def test_states_and_events_are_read_without_known_secrets(api: FakeApi) -> None:
    api.answers["GET", f"{SHOP}/pods"] = {"items": [POD]}
    api.answers["GET", f"{SHOP}/events"] = {"items": [EVENT]}
    text = await evidence.read(*place(), "blue", ARTIFACT, "NotReady: it refuses.")
    assert text is not None
    assert "2026-11-23T05:00:01Z  Warning  Unhealthy  Readiness probe failed: no database with ***" in text
    (query,) = (query for _, path, query, _ in api.seen if path.endswith("/events"))
    assert query["fieldSelector"] == "involvedObject.kind=Pod,involvedObject.name=shop-blue-1"


async def test_without_pods_nothing_is_kept(api: FakeApi) -> None:
    assert not await evidence.keep.fn(*place(), "blue", ARTIFACT, "FailedCreate: a quota.")


async def test_what_cannot_be_read_fails_nothing(api: FakeApi) -> None:
    api.answers["GET", f"{SHOP}/pods"] = {"items": [POD]}
    api.answers["GET", f"{SHOP}/events"] = lambda _: status(403, "events is forbidden")
    assert not await evidence.keep.fn(*place(), "blue", ARTIFACT, "NotReady: it refuses.")


async def test_an_api_server_that_hangs_is_not_waited_for(api: FakeApi) -> None:
    free = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await free.wait()
        return web.json_response({"items": []})

    api.answers["GET", f"{SHOP}/pods"] = hang
    async with asyncio.timeout(5):
        assert not await evidence.keep.fn(*place(), "blue", ARTIFACT, "NotReady: it refuses.", within=0.2)
    free.set()
