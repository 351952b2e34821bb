"""What an account may do, asked of an API server."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from fakeapi import FakeApi, status

from clients.access import Access
from release.errors import Unavailable

REVIEWS = ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
RULES = ("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews")
GATEWAY = "gateway.networking.k8s.io/v1"


def access(api: FakeApi) -> Access:
    return Access(api.kubeconfig, "here", "shop")


async def test_rights_are_asked_for_in_the_namespace_and_nothing_else_is_written(api: FakeApi) -> None:
    async def review(request: web.Request) -> web.Response:
        asked = (await request.json())["spec"]["resourceAttributes"]
        return web.json_response({"status": {"allowed": asked["resource"] != "leases"}}, status=201)

    api.answers[REVIEWS] = review
    wanted = (("get", "", "pods"), ("update", "coordination.k8s.io", "leases"))
    async with access(api) as here:
        assert await here.lacks(wanted) == (("update", "coordination.k8s.io", "leases"),)
    bodies = [body for _, path, _, body in api.writes() if path == REVIEWS[1]]
    asked: list[Any] = [body["spec"]["resourceAttributes"] for body in bodies]
    assert {"namespace": "shop", "verb": "get", "group": "", "resource": "pods"} in asked
    assert len(asked) == 2


async def test_what_one_answer_tells_of_all_rights_is_asked_no_more(api: FakeApi) -> None:
    rules = [
        {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]},
        {"verbs": ["*"], "apiGroups": ["apps"], "resources": ["*"]},
        {"verbs": ["update"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["one"]},
    ]
    api.answers[RULES] = {"status": {"resourceRules": rules, "incomplete": True}}
    api.answers[REVIEWS] = {"status": {"allowed": False}}
    known = (("get", "", "pods"), ("delete", "apps", "deployments"))
    open_ones = (("watch", "", "pods"), ("update", "", "secrets"), ("get", "batch", "jobs"))
    async with access(api) as here:
        assert await here.lacks(known) == ()
        assert [path for _, path, _, _ in api.seen] == [RULES[1]]
        assert await here.lacks((*known, *open_ones)) == open_ones
    assert api.writes()[0][3]["spec"] == {"namespace": "shop"}


async def test_an_object_is_there_is_not_or_may_not_be_looked_at(api: FakeApi) -> None:
    api.answers["GET", "/there"] = {}
    api.answers["GET", "/forbidden"] = lambda request: status(403, "no")
    async with access(api) as here:
        assert [await here.has(path) for path in ("/there", "/not", "/forbidden")] == [True, False, None]


async def test_a_clock_is_compared_with_ours(api: FakeApi) -> None:
    def answer(request: web.Request) -> web.Response:
        headers = {"Date": "Mon, 23 Nov 2020 08:00:00 GMT"}
        return web.json_response({"gitVersion": "v1.37.2"}, headers=headers)

    api.answers["GET", "/version"] = answer
    async with access(api) as here:
        version, skew = await here.version()
    assert version == "v1.37.2"
    assert skew < -86_400
    api.answers["GET", "/version"] = {"gitVersion": "v1.37.2"}
    async with access(api) as here:
        assert abs((await here.version())[1]) < 2


async def test_what_the_cluster_offers(api: FakeApi) -> None:
    async with access(api) as here:
        assert not await here.offers(GATEWAY, "httproutes")
        api.answers["GET", f"/apis/{GATEWAY}"] = {"resources": [{"name": "httproutes"}, {"name": "gateways"}]}
        assert await here.offers(GATEWAY, "httproutes")
        assert not await here.offers(GATEWAY, "grpcroutes")


async def test_an_api_server_that_fails_is_unavailable(api: FakeApi) -> None:
    api.answers[REVIEWS] = lambda request: status(503, "busy")
    async with access(api) as here:
        with pytest.raises(Unavailable):
            await here.lacks((("get", "", "pods"),))
