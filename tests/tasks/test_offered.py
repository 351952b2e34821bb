"""A region that lacks what a release needs is refused before anything is done there."""

from __future__ import annotations

import pytest
from aiohttp import web
from fakeapi import FakeApi, status

from release.environment import Region
from release.errors import Refused
from tasks import offered

HERE = Region("us-east-1", "here", "shop", "http://127.0.0.1:1", gateway="edge/public")
RULES = ("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews")
REVIEWS = ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
API = ("GET", "/apis/gateway.networking.k8s.io/v1")
GATEWAY = ("GET", "/apis/gateway.networking.k8s.io/v1/namespaces/edge/gateways/public")


@pytest.fixture(autouse=True)
def complete(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A region that has everything, for the tests to take something away."""
    monkeypatch.setenv("TIDEGATE__KUBECONFIG", str(api.kubeconfig))
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    api.answers[RULES] = {"status": {"resourceRules": [everything]}}
    api.answers[API] = {"resources": [{"name": "httproutes"}]}
    api.answers[GATEWAY] = {"kind": "Gateway"}


def without(api: FakeApi, *resources: str) -> None:
    async def review(request: web.Request) -> web.Response:
        asked = (await request.json())["spec"]["resourceAttributes"]
        return web.json_response({"status": {"allowed": asked["resource"] not in resources}}, status=201)

    api.answers[RULES] = {"status": {"resourceRules": []}}
    api.answers[REVIEWS] = review


async def test_a_complete_region_is_asked_three_things_and_changed_in_nothing(api: FakeApi) -> None:
    await offered.require(HERE, own_chart=True)
    assert sorted(path for _, path, _, _ in api.seen) == sorted(path for _, path in (RULES, API, GATEWAY))


@pytest.mark.parametrize("resource", ["httproutes", "services", "leases", "secrets", "deployments"])
async def test_a_missing_right_is_named(api: FakeApi, resource: str) -> None:
    without(api, resource)
    with pytest.raises(Refused) as raised:
        await offered.require(HERE, own_chart=False)
    assert (raised.value.region, raised.value.field) == ("us-east-1", "role")
    assert resource in raised.value.what
    assert "role.yaml" in str(raised.value.next_step)


async def test_rights_for_what_only_tidegates_chart_makes_are_not_asked_for_another(api: FakeApi) -> None:
    without(api, "networkpolicies")
    await offered.require(HERE, own_chart=False)
    with pytest.raises(Refused, match="networkpolicies"):
        await offered.require(HERE, own_chart=True)


async def test_a_cluster_without_gateway_api_is_told_what_to_install(api: FakeApi) -> None:
    del api.answers[API]
    with pytest.raises(Refused, match="no Gateway API") as raised:
        await offered.require(HERE, own_chart=True)
    assert "Install Gateway API" in str(raised.value.next_step)
    without(api, "httproutes")
    await offered.require(HERE, own_chart=True, gateway=False)


async def test_a_gateway_that_is_not_there_is_named_where_it_may_be_looked_for(api: FakeApi) -> None:
    api.answers[GATEWAY] = lambda request: status(403, "forbidden")
    await offered.require(HERE, own_chart=True)
    del api.answers[GATEWAY]
    with pytest.raises(Refused, match="no Gateway public in edge"):
        await offered.require(HERE, own_chart=True)
