"""A region without routes, as load balancers by kube-proxy serve it."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_objects import NS, REGION, endpoint_slice, found, gateway, route, service

from release import names
from sandbox.gateway.model import Table
from sandbox.gateway.table import build


def public(slot: str, **labels: str) -> dict[str, Any]:
    made = service("shop")
    made["metadata"]["labels"] = {names.MANAGED_LABEL: "tidegate", **labels}
    made["metadata"]["annotations"] = {names.MAINTENANCE: '{"until": "2999-01-01T00:00:00Z", "mode": "banner"}'}
    made["spec"]["selector"] = {names.SLOT_LABEL: slot}
    return made


def table(*services: dict[str, Any], routes: tuple[dict[str, Any], ...] = (), behind: str = "g1") -> Table:
    slots = [service("shop-blue"), service("shop-green"), *services]
    slices = [endpoint_slice("shop-blue", "b1"), endpoint_slice("shop-green", "g1"), endpoint_slice("shop", behind)]
    return build(NS, REGION, [gateway()], routes, found(slots, slices))


@pytest.mark.parametrize(("slot", "weights"), [("blue", (100, 0)), ("green", (0, 100)), ("purple", (0, 0))])
def test_users_follow_the_selector_of_the_public_service(slot: str, weights: tuple[int, int]) -> None:
    web, blue, green = table(public(slot)).entries
    (rule,) = web.rules
    assert (rule.route, rule.weights, rule.maintenance) == ("shop", weights, None)
    assert [pool.service for pool in rule.pools] == ["shop-blue", "shop-green"]
    assert [[pool.service for pool in one.rules[0].pools] for one in (blue, green)] == [["shop-blue"], ["shop-green"]]
    assert blue.rules[0].pools[0].endpoints[0].uid == "b1"


def test_until_its_endpointslices_are_written_the_public_service_leads_to_the_pods_before() -> None:
    web = table(public("green"), behind="b1").entries[0]
    assert [one.uid for one in web.rules[0].pools[1].endpoints] == ["b1"]


def test_a_route_comes_first_and_services_that_are_not_ours_serve_nobody() -> None:
    attached = table(public("green"), routes=(route(),)).entries[0]
    assert attached.rules[0].weights == (90, 10)
    for foreign in ((), (service("shop"),), (public("green", **{names.SLOT_LABEL: "green"}),)):
        assert [entry.rules for entry in table(*foreign).entries] == [(), (), ()]
