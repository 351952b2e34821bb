"""What Cluster asks of an API server, and what it makes of its refusals."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from fakeapi import FakeApi, status, write_kubeconfig

from clients.cluster import Cluster
from clients.kube_errors import Conflict, Missing
from release import names
from release.errors import Refused, TidegateError, Unavailable
from release.model import Artifact, Record, Route

ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/shop"
SERVICE = "/api/v1/namespaces/shop/services/shop"
DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/shop-blue"
SCALER = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/shop-blue"
VERSION = ("GET", "/version")


def cluster(api: FakeApi, **more: float) -> Cluster:
    return Cluster(api.kubeconfig, "here", "shop", **more)


async def test_reachable_tells_the_version_and_sends_the_token(api: FakeApi) -> None:
    tokens = []

    def answer(request: web.Request) -> web.Response:
        tokens.append(request.headers["Authorization"])
        return web.json_response({"gitVersion": "v1.37.2"})

    api.answers[VERSION] = answer
    async with cluster(api) as here:
        assert await here.reachable() == "v1.37.2"
    assert tokens == ["Bearer s3cret-token"]


async def test_weights_are_one_write_that_checks_which_slot_is_which(api: FakeApi) -> None:
    api.answers["PATCH", ROUTE] = {}
    async with cluster(api) as here:
        await here.set_weights("shop", 75, 25)
    [(_, _, query, patch)] = api.seen
    assert query == {"fieldManager": "tidegate"}
    assert [(step["op"], step["value"]) for step in patch] == [
        ("test", "shop-blue"),
        ("replace", 75),
        ("test", "shop-green"),
        ("replace", 25),
    ]


async def test_a_service_s_selector_is_one_write_that_checks_whose_it_is(api: FakeApi) -> None:
    api.answers["PATCH", SERVICE] = {}
    async with Cluster(api.kubeconfig, "here", "shop", switch="service") as here:
        await here.set_weights("shop", 0, 100)
        with pytest.raises(Refused, match="all users or none, not 75 %"):
            await here.set_weights("shop", 75, 25)
    [(_, _, query, patch)] = api.seen
    assert query == {"fieldManager": "tidegate"}
    chosen = {
        "app.kubernetes.io/name": "shop",
        "app.kubernetes.io/instance": "shop-green",
        "tidegate.dev/slot": "green",
    }
    assert patch == [
        {"op": "test", "path": "/metadata/labels/app.kubernetes.io~1managed-by", "value": "tidegate"},
        {"op": "add", "path": "/spec/selector", "value": chosen},
    ]


async def test_without_gateway_api_all_that_a_route_bears_is_read_and_written_on_the_service(api: FakeApi) -> None:
    metadata = {"labels": {"app.kubernetes.io/managed-by": "tidegate"}}
    api.answers["PATCH", SERVICE] = {}
    record = Record(Artifact("1.4.0", "sha256:" + "a" * 64, "c" * 40), "green", 2, "abc", "2026-11-23T05:00:00Z", "run")
    async with Cluster(api.kubeconfig, "here", "shop", switch="service") as here:
        assert await here.split("shop") is None
        found = {"kind": "Service", "metadata": metadata, "spec": {"selector": {"tidegate.dev/slot": "green"}}}
        api.answers["GET", SERVICE] = found
        assert await here.split("shop") == Route(blue=0, green=100)
        found["metadata"] = {"labels": {"app.kubernetes.io/managed-by": "Helm"}}
        assert await here.split("shop") is None
        assert await here.set_maintenance("shop", "text")
        await here.record("shop", record, None)
    assert {path for _, path, *_ in api.seen} == {SERVICE}
    written = [body["metadata"]["annotations"] for _, _, _, body in api.writes()]
    assert [sorted(one) for one in written] == [[names.MAINTENANCE], [names.LIVE, names.PREVIOUS, names.RETIRE]]


@pytest.mark.parametrize(("blue", "green"), [(50, 51), (101, -1)])
async def test_weights_that_do_not_sum_to_100_are_never_sent(api: FakeApi, blue: int, green: int) -> None:
    async with cluster(api) as here:
        with pytest.raises(ValueError, match="sum to 100"):
            await here.set_weights("shop", blue, green)
    assert api.seen == []


async def test_apply_takes_the_fields_it_names_as_tidegate(api: FakeApi) -> None:
    path = "/api/v1/namespaces/shop/services/shop-blue"
    kinds = []

    def answer(request: web.Request) -> web.Response:
        kinds.append(request.content_type)
        return web.json_response({})

    api.answers["PATCH", path] = answer
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop-blue"}}
    async with cluster(api) as here:
        await here.apply([manifest])
    assert api.seen == [("PATCH", path, {"fieldManager": names.FIELD_MANAGER, "force": "true"}, manifest)]
    assert kinds == ["application/apply-patch+yaml"]


async def test_one_failed_write_of_several_is_raised_as_itself(api: FakeApi) -> None:
    manifests = [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}} for name in ("a", "b")]
    async with cluster(api) as here:
        with pytest.raises(Missing):
            await here.apply(manifests)


async def test_a_release_s_tests_are_deleted_also_where_one_is_gone_meanwhile(api: FakeApi) -> None:
    pods = "/api/v1/namespaces/shop/pods"
    found = [{"metadata": {"name": "shop-blue-test"}}, {"metadata": {"name": "shop-blue-more"}}]
    api.answers["GET", pods] = {"items": found}
    api.answers["DELETE", f"{pods}/shop-blue-test"] = lambda _: status(404, "gone")
    api.answers["DELETE", f"{pods}/shop-blue-more"] = {}
    async with cluster(api) as here:
        await here.remove_tests("shop-blue")
    listed, *deleted = api.seen
    assert listed[2]["labelSelector"] == "app.kubernetes.io/instance=shop-blue,app.kubernetes.io/component=test"
    assert [path for _, path, _, _ in deleted] == [f"{pods}/shop-blue-test", f"{pods}/shop-blue-more"]


async def test_secret_keys_are_names_only(api: FakeApi) -> None:
    path = "/api/v1/namespaces/shop/secrets/shop-secrets"
    api.answers["GET", path] = {"data": {"API_KEY": "eA==", "DB_PASSWORD": "eQ=="}}
    async with cluster(api) as here:
        assert await here.secret_keys("shop-secrets") == {"API_KEY", "DB_PASSWORD"}
        assert await here.secret_keys("nope") is None


REFUSALS = [
    (500, "boom", Unavailable, "here"),
    (503, "apiserver is shutting down", Unavailable, "shutting down"),
    (429, "too many requests", Unavailable, "429"),
    (401, "Unauthorized", Refused, "kubeconfig: The credentials of context here"),
    (409, "the object has been modified", Conflict, "modified"),
    (422, "spec.x: Invalid value", Refused, "Invalid value"),
    (
        403,
        'httproutes.gateway.networking.k8s.io "shop" is forbidden: User "u" cannot patch resource "httproutes"'
        ' in API group "gateway.networking.k8s.io" in the namespace "shop"',
        Refused,
        "role: The service account of context here lacks the right to patch httproutes.gateway.networking.k8s.io",
    ),
    (403, "pods is forbidden: exceeded quota: few", Refused, "exceeded quota"),
]


@pytest.mark.parametrize(("code", "message", "kind", "words"), REFUSALS)
async def test_refusals_become_errors_for_people(
    api: FakeApi, code: int, message: str, kind: type[TidegateError], words: str
) -> None:
    api.answers[VERSION] = lambda _: status(code, message)
    async with cluster(api) as here:
        with pytest.raises(kind) as caught:
            await here.reachable()
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_a_page_of_a_proxy_is_not_an_empty_cluster(api: FakeApi) -> None:
    path = "/api/v1/namespaces/shop/secrets/x"
    api.answers["GET", path] = lambda _: web.Response(text="<html>login</html>", content_type="text/html")
    async with cluster(api) as here:
        with pytest.raises(Unavailable):
            await here.secret_keys("x")


async def test_nobody_there(tmp_path: Path, unused_tcp_port: int) -> None:
    write_kubeconfig(tmp_path / "kubeconfig", f"http://127.0.0.1:{unused_tcp_port}")
    async with Cluster(tmp_path / "kubeconfig", "here", "shop") as here:
        with pytest.raises(Unavailable, match="kubectl --context here version"):
            await here.reachable()


async def test_an_answer_that_does_not_come_in_time(api: FakeApi) -> None:
    api.answers[VERSION] = lambda _: asyncio.sleep(0.5, web.Response())
    async with cluster(api, timeout=0.1) as here:
        with pytest.raises(Unavailable, match=r"nothing within 0\.1 s"):
            await here.reachable()


async def test_an_unknown_context_is_refused_by_name(api: FakeApi) -> None:
    with pytest.raises(Refused, match="context: Context nope"):
        async with Cluster(api.kubeconfig, "nope", "shop"):
            pass


async def test_a_missing_kubeconfig_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="kubeconfig"):
        async with Cluster(tmp_path / "none", "here", "shop"):
            pass


async def test_observe_asks_all_at_once_and_reads_no_secret(api: FakeApi) -> None:
    waiting, all_here = [], asyncio.Event()

    async def empty(request: web.Request) -> web.Response:
        waiting.append((request.path, request.headers["Accept"]))
        if len(waiting) == 5:
            all_here.set()
        await all_here.wait()
        return status(404, "not found") if request.path == ROUTE else web.json_response({"items": []})

    base = "/api/v1/namespaces/shop"
    workloads = (DEPLOYMENT.rpartition("/")[0], SCALER.rpartition("/")[0])
    for path in (f"{base}/pods", f"{base}/secrets", *workloads, ROUTE):
        api.answers["GET", path] = empty
    async with cluster(api) as here:
        state = await asyncio.wait_for(here.observe("shop", "us-east-1"), 5)
    assert (state.region, state.route, state.blue.release, state.green.pods) == ("us-east-1", None, None, ())
    assert "PartialObjectMetadataList" in dict(waiting)[f"{base}/secrets"]


async def test_a_count_that_is_kept_is_the_one_that_is_there(api: FakeApi) -> None:
    api.answers["GET", DEPLOYMENT] = {"spec": {"replicas": 7}}
    api.answers["PATCH", DEPLOYMENT] = {}
    async with cluster(api) as here:
        await here.keep_count("shop", "blue")
    method, _, query, body = api.seen[-1]
    assert (method, query) == ("PATCH", {"fieldManager": "tidegate", "force": "true"})
    assert body["spec"] == {"replicas": 7}


async def test_a_slot_that_is_not_there_has_no_count_to_keep(api: FakeApi) -> None:
    api.answers["GET", DEPLOYMENT] = lambda _: status(404, "not found")
    async with cluster(api) as here:
        await here.keep_count("shop", "blue")
    assert [method for method, *_ in api.seen] == ["GET"]


@pytest.mark.parametrize("there", [True, False])
async def test_an_autoscaler_gets_its_minimum_where_there_is_one(api: FakeApi, there: bool) -> None:
    api.answers["PATCH", SCALER] = {} if there else (lambda _: status(404, "not found"))
    async with cluster(api) as here:
        assert await here.set_minimum("shop", "blue", 12) is there
    assert api.seen[-1][3] == {"spec": {"minReplicas": 12}}


async def test_endpoints_are_the_ready_ones_of_all_slices(api: FakeApi) -> None:
    def endpoint(name: str, **conditions: bool) -> dict[str, object]:
        return {"targetRef": {"kind": "Pod", "name": name}, "conditions": conditions}

    path = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"
    ending = endpoint("b", ready=False, serving=True, terminating=True)
    slices = [{"endpoints": [endpoint("a", ready=True), ending]}, {"endpoints": None}, {"endpoints": [endpoint("c")]}]
    api.answers["GET", path] = {"items": slices}
    async with cluster(api) as here:
        assert await here.endpoints("shop-blue") == {"a", "c"}
    assert api.seen[0][2]["labelSelector"] == "kubernetes.io/service-name=shop-blue"
