"""A version is checked once the Services that lead to it name its Ready pods, be they its own or the public one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakeapi import FakeApi, write_kubeconfig
from prefect.logging import disable_run_logger

from config import load
from tasks import rollout, stop

SHOP = "/namespaces/shop"
GREEN = {
    "metadata": {"name": "new", "creationTimestamp": "2026-11-23T05:00:00Z", "labels": {"tidegate.dev/slot": "green"}},
    "spec": {"containers": [{"name": "application"}]},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}
EMPTY = (
    f"/api/v1{SHOP}/secrets",
    f"/apis/apps/v1{SHOP}/deployments",
    f"/apis/autoscaling/v2{SHOP}/horizontalpodautoscalers",
)


@pytest.fixture
async def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeApi]:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEGATE__KUBECONFIG", str(tmp_path / "kubeconfig"))
    found, app = FakeApi(tmp_path / "kubeconfig"), web.Application()
    found.answers = {("GET", path): {"items": []} for path in EMPTY}
    found.answers["GET", f"/api/v1{SHOP}/pods"] = {"items": [GREEN]}
    app.router.add_route("*", "/{path:.*}", found.handle)
    async with TestServer(app) as server:
        write_kubeconfig(found.kubeconfig, str(server.make_url("")))
        with disable_run_logger(), stop.stopping():
            yield found


@pytest.mark.parametrize(("slot", "waits"), [("green", True), ("blue", False)])
async def test_the_public_service_is_waited_for_where_it_selects_the_slot(api: FakeApi, slot: str, waits: bool) -> None:
    asked: list[str] = []

    def slices(request: web.Request) -> web.Response:
        service = request.query["labelSelector"].rpartition("=")[2]
        asked.append(service)
        leads_to = "old" if service == "shop" and asked.count("shop") == 1 else "new"
        return web.json_response({"items": [{"endpoints": [{"targetRef": {"name": leads_to}}]}]})

    api.answers["GET", f"/apis/discovery.k8s.io/v1{SHOP}/endpointslices"] = slices
    api.answers["GET", f"/api/v1{SHOP}/services/shop"] = {
        "kind": "Service",
        "metadata": {"labels": {"app.kubernetes.io/managed-by": "tidegate"}},
        "spec": {"selector": {"tidegate.dev/slot": slot}},
    }
    production = load.environment("production", speed=20)
    region = replace(next(iter(production.regions.values())), context="here", namespace="shop", traffic="service")
    await rollout.endpoints.fn(region, "green", replace(production.rolling, settle=0.0))
    assert asked == (["shop-green", "shop"] * 2 if waits else ["shop-green"])
