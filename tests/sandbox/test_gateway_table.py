from __future__ import annotations

import pytest
from gateway_objects import NS, REGION, endpoint_slice, found, gateway, meta, ref, route, rule, service, shop

from sandbox.gateway import backends, labels
from sandbox.gateway.model import Match
from sandbox.gateway.table import build, unresolved

PORT = {"name": "http", "port": 80}


def test_entry_points_are_the_listeners():
    table = shop(route(), route("shop-preview-blue", rule(ref("shop-blue")), section="preview-blue"))
    assert {entry.name: entry.port for entry in table.entries} == {
        "web": 8001,
        "preview-blue": 8002,
        "preview-green": 8003,
    }
    web, blue, green = table.entries
    assert [r.route for r in web.rules] == ["shop"]
    assert [r.route for r in blue.rules] == ["shop-preview-blue"]
    assert green.rules == ()
    assert web.rules[0].weights == (90, 10)
    assert [len(pool.endpoints) for pool in web.rules[0].pools] == [2, 1]


def test_names_are_those_of_traefik():
    # The example of Traefik's own tests: the hash is of the rule's text.
    match = Match("/bar", "exact")
    text = labels.rule_text(("foo.com",), match)
    assert text == "Host(`foo.com`) && Path(`/bar`)"
    router = labels.router("default", "http-app-1", "my-gateway", "web", 0, text)
    key = "httproute-default-http-app-1-gw-default-my-gateway-ep-web-0-1c0cf64bde37d9d0df06"
    assert router == f"{key}@kubernetesgateway"
    assert labels.balancer(router) == f"{key}-wrr@kubernetesgateway"
    assert labels.service("default", "whoami", 80) == "default-whoami-http-80@kubernetesgateway"


def test_rules_are_tried_by_precedence():
    header = rule(ref("shop-green"), headers=[{"type": "Exact", "name": "X-Version", "value": "next"}])
    longer = rule(ref("shop-blue"), path={"type": "PathPrefix", "value": "/api"})
    exact = rule(ref("shop-blue"), path={"type": "Exact", "value": "/"})
    table = shop(route("shop", rule(ref("shop-blue")), header, longer, exact))
    kinds = [(r.match.kind, r.match.path, len(r.match.headers)) for r in table.entries[0].rules]
    assert kinds == [("exact", "/", 0), ("prefix", "/api", 0), ("prefix", "/", 1), ("prefix", "/", 0)]


def test_a_missing_service_is_unresolved_and_one_without_pods_is_not():
    slots = found([service("shop-green")], [])
    table = build(NS, REGION, [gateway()], [route()], slots)
    problem = unresolved(table, "shop")
    assert problem is not None
    assert (problem.service, problem.reason) == ("shop-blue", "BackendNotFound")
    assert unresolved(build(NS, REGION, [gateway()], [route("shop", rule(ref("shop-green")))], slots), "shop") is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"port": 81}, "BackendNotFound"),
        ({"namespace": "other"}, "RefNotPermitted"),
        ({"kind": "Widget"}, "InvalidKind"),
    ],
)
def test_backends_that_cannot_be_resolved(change, reason):
    pool = backends.pool(NS, ref("shop-blue") | change, found([service("shop-blue")], []))
    assert pool.problem
    assert pool.reason == reason


def endpoints(*slices):
    return [each.uid for each in backends.endpoints(NS, "shop-blue", PORT, found([], list(slices)))]


def test_ready_pods_get_requests_and_without_any_those_that_end_but_serve():
    ready = endpoint_slice("shop-blue", "a")
    ending = endpoint_slice("shop-blue", "b", ready=False, serving=True, terminating=True)
    ended = endpoint_slice("shop-blue", "c", ready=False, serving=False, terminating=True)
    starting = endpoint_slice("shop-blue", "d", ready=False, serving=False, terminating=False)
    assert endpoints(ready, ending, ended, starting) == ["a"]
    assert endpoints(ending, ended, starting) == ["b"]
    assert endpoints(ended, starting) == []


def test_a_slice_without_the_services_port_is_no_way_in():
    odd = endpoint_slice("shop-blue", "a") | {"ports": [{"name": "other", "port": 9}]}
    empty = endpoint_slice("shop-blue", "a") | {"ports": None, "endpoints": None}
    assert endpoints(odd, empty) == []


@pytest.mark.parametrize(
    ("own", "wanted", "expected"),
    [
        (None, ["a.example"], ("a.example",)),
        ("*.example", [], ("*.example",)),
        ("*.example", ["a.example", "b.test"], ("a.example",)),
        ("b.test", ["a.example"], None),
    ],
)
def test_host_names_are_what_both_sides_accept(own, wanted, expected):
    listener = {"hostname": own} if own else {}
    table = build(NS, REGION, [gateway(**listener)], [route(hostnames=wanted)], found([], []))
    assert [r.hosts for r in table.entries[0].rules] == ([] if expected is None else [expected])


@pytest.mark.parametrize("parent", [{"name": "other"}, {"sectionName": "nope"}, {"namespace": "other"}, {"port": 1}])
def test_a_route_of_another_parent_does_not_attach(parent):
    elsewhere = route()
    elsewhere["spec"]["parentRefs"][0] |= parent
    assert shop(elsewhere).entries[0].rules == ()


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"until": 1}', '{"mode": "block"}'])
def test_a_broken_maintenance_annotation_changes_nothing(text):
    broken = route()
    broken["metadata"] = meta("shop", annotations={"tidegate.dev/maintenance": text})
    assert shop(broken).entries[0].rules[0].maintenance is None
