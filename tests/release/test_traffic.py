from __future__ import annotations

from dataclasses import replace

import pytest

from release import traffic
from release.environment import Region
from release.errors import Refused
from release.model import Route

REGION = Region(
    name="us-east-1",
    context="production-us-east-1",
    namespace="production",
    address="https://shop.example.com",
    previews={"blue": "https://blue.shop.example.com", "green": "http://127.0.0.1:8081"},
    gateway="infra/tidegate",
    sections={"web": "web", "green": "preview-green"},
    hostnames=("shop.example.com",),
)

BY_SERVICE = replace(REGION, traffic="service", gateway="")


def by_name(*, blue: int = 100, green: int = 0, region: Region = REGION) -> dict[str, dict]:
    made = traffic.manifests("shop", region, blue=blue, green=green)
    return {f"{one['kind']}/{one['metadata']['name']}": dict(one) for one in made}


def test_the_route_splits_users_by_the_given_weights() -> None:
    route = by_name(blue=25, green=75)["HTTPRoute/shop"]
    backends = route["spec"]["rules"][0]["backendRefs"]
    assert [(one["name"], one["weight"], one["port"]) for one in backends] == [
        ("shop-blue", 25, 80),
        ("shop-green", 75, 80),
    ]
    assert route["spec"]["hostnames"] == ["shop.example.com"]
    assert route["spec"]["parentRefs"] == [{"name": "tidegate", "namespace": "infra", "sectionName": "web"}]


def test_each_slot_has_a_service_that_selects_its_pods_only() -> None:
    made = by_name()
    for slot in ("blue", "green"):
        service = made[f"Service/shop-{slot}"]["spec"]
        assert service["selector"] == {
            "app.kubernetes.io/name": "shop",
            "app.kubernetes.io/instance": f"shop-{slot}",
            "tidegate.dev/slot": slot,
        }
        assert service["ports"] == [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]


def test_a_preview_by_name_is_told_apart_by_its_host_and_one_by_address_by_its_section() -> None:
    made = by_name()
    blue, green = (made[f"HTTPRoute/shop-preview-{slot}"]["spec"] for slot in ("blue", "green"))
    assert blue["hostnames"] == ["blue.shop.example.com"]
    assert "sectionName" not in blue["parentRefs"][0]
    assert "hostnames" not in green
    assert green["parentRefs"][0]["sectionName"] == "preview-green"


def test_a_slot_without_a_preview_address_gets_no_preview_route() -> None:
    bare = Region("eu", "eu", "shop", "http://127.0.0.1:1", gateway="tidegate")
    made = by_name(region=bare)
    assert sorted(made) == ["HTTPRoute/shop", "Service/shop-blue", "Service/shop-green"]
    assert made["HTTPRoute/shop"]["spec"]["parentRefs"] == [{"name": "tidegate", "namespace": "shop"}]


@pytest.mark.parametrize(("blue", "green"), [(100, 1), (50, 49), (-10, 110), (0, 0)])
def test_weights_that_do_not_sum_to_100_are_a_mistake_of_ours(blue: int, green: int) -> None:
    with pytest.raises(ValueError, match="sum to 100"):
        by_name(blue=blue, green=green)


def test_a_region_without_a_gateway_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="eu: gateway: No Gateway"):
        by_name(region=Region("eu", "eu", "shop", ""))


@pytest.mark.parametrize(("blue", "slot"), [(100, "blue"), (0, "green")])
def test_without_gateway_api_one_service_selects_the_slot_that_has_the_users(blue: int, slot: str) -> None:
    made = by_name(blue=blue, green=100 - blue, region=BY_SERVICE)
    assert sorted(made) == ["Service/shop", "Service/shop-blue", "Service/shop-green"]
    public = made["Service/shop"]
    assert public["spec"]["selector"] == made[f"Service/shop-{slot}"]["spec"]["selector"]
    assert "tidegate.dev/slot" not in public["metadata"]["labels"]


def test_how_a_service_is_reached_from_outside_is_left_to_the_region() -> None:
    made = by_name(region=BY_SERVICE)
    assert not [name for name, one in made.items() if "type" in one["spec"]]
    assert by_name()["Service/shop-blue"]["spec"]["type"] == "ClusterIP"


def test_a_service_gives_no_shares() -> None:
    with pytest.raises(Refused, match="traffic: the selector of a Service gives a slot all users or none, not 25 %"):
        by_name(blue=25, green=75, region=BY_SERVICE)


def test_a_canary_is_refused_where_a_service_is_the_switch_and_told_where() -> None:
    with pytest.raises(
        Refused, match=r"strategy: a canary needs shares .*`traffic: service`\) in us-east-1\."
    ) as raised:
        traffic.require_possible("canary", [replace(REGION, name="eu"), BY_SERVICE])
    assert raised.value.field == "strategy"
    traffic.require_possible("canary", [REGION])
    for strategy in ("rolling", "blue-green"):
        traffic.require_possible(strategy, [BY_SERVICE])


def test_the_public_service_must_lead_to_the_slot_that_it_selects_only() -> None:
    route = Route(blue=0, green=100)
    assert traffic.leading("shop", BY_SERVICE, "green", route) == ("shop-green", "shop")
    assert traffic.leading("shop", BY_SERVICE, "blue", route) == ("shop-blue",)
    assert traffic.leading("shop", BY_SERVICE, "blue", None) == ("shop-blue",)
    assert traffic.leading("shop", REGION, "green", route) == ("shop-green",)
