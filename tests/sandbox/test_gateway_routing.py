from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from gateway_objects import NS, gateway, meta, pod, ref, route, rule, service, shop, world
from gateway_objects import found as finds

from sandbox.gateway.fetch import Inside
from sandbox.gateway.model import Request
from sandbox.gateway.routing import decide
from sandbox.gateway.split import SmoothSplit
from sandbox.gateway.table import build
from sandbox.gateway.traffic import Traffic
from sandbox.world import Answer

PODS = (pod("b1"), pod("b2"), pod("g1", "1.5.0"))
NEXT = {"headers": [{"name": "X-Version", "value": "next"}]}


def ask(table, request=None, *, around=None, now=0.0, split=None, times=1):
    home = around or world(*PODS)
    split = split or SmoothSplit()
    return [
        decide(table.entries[0], request or Request(), now=now, split=split, pods=home.pods, overrides=home.overrides)
        for _ in range(times)
    ]


def test_weights_are_kept_exactly_and_pods_take_turns():
    got = Counter(reply.pod for reply in ask(shop(), times=1000))
    assert got == {"b1": 450, "b2": 450, "g1": 100}


def test_a_tester_with_the_header_sees_the_new_version():
    table = shop(route("shop", rule(ref("shop-blue")), rule(ref("shop-green"), **NEXT)))
    [tester] = ask(table, Request("/version", headers={"x-version": "next"}))
    [user] = ask(table, Request("/version", headers={"x-version": "old"}))
    assert json.loads(tester.answer.body)["version"] == "1.5.0"
    assert json.loads(user.answer.body)["version"] == "1.4.0"


@pytest.mark.parametrize(
    ("request_", "status"),
    [(Request(host="shop.example"), 200), (Request(host="a.other"), 200), (Request(host="x.test"), 404)],
)
def test_host_names(request_, status):
    [reply] = ask(shop(route(hostnames=["shop.example", "*.other"])), request_)
    assert reply.answer.status == status


@pytest.mark.parametrize(
    ("match", "path", "status"),
    [
        ({"path": {"type": "Exact", "value": "/version"}}, "/version", 200),
        ({"path": {"type": "Exact", "value": "/version"}}, "/version/", 404),
        ({"path": {"type": "PathPrefix", "value": "/health"}}, "/health", 200),
        ({"path": {"type": "PathPrefix", "value": "/health"}}, "/healthy", 404),
        ({"path": {"type": "RegularExpression", "value": "^/v.*n$"}}, "/version", 200),
        ({"path": {"type": "RegularExpression", "value": "("}}, "/version", 404),
        ({"method": "POST"}, "/version", 404),
        ({"queryParams": [{"name": "a", "value": "1"}]}, "/version", 404),
    ],
)
def test_matches(match, path, status):
    [reply] = ask(shop(route("shop", rule(ref("shop-blue"), **match))), Request(path))
    assert reply.answer.status == status


def test_a_pod_that_ended_is_502_and_counted_by_service():
    around = world(*PODS)
    del around.pods["b1"]
    around.pods["b2"] = replace(PODS[1], serving=False)
    replies = ask(shop(route("shop", rule(ref("shop-blue")))), around=around, times=2)
    assert [(r.answer.status, r.cause, r.by_service) for r in replies] == [(502, "ended", True)] * 2


def test_a_port_on_which_the_pod_does_not_listen_is_502():
    around = world(replace(PODS[0], ports=(9000,)), replace(PODS[1], ports=(8080,)))
    replies = ask(shop(route("shop", rule(ref("shop-blue")))), around=around, times=2)
    assert sorted(r.answer.status for r in replies) == [200, 502]


def test_no_ready_pod_is_503_and_not_counted_by_service():
    [reply] = ask(shop(route("shop", rule(ref("shop-blue"))), blue=()))
    assert (reply.answer.status, reply.cause, reply.by_service) == (503, "unready", False)


def test_a_missing_service_is_500_for_its_share():
    slots = finds([service("shop-blue")], [])
    table = build(NS, "us-east-1", [gateway()], [route("shop", rule(ref("shop-blue"), ref("gone")))], slots)
    got = [(r.answer.status, r.cause, r.by_service) for r in ask(table, times=2)]
    assert got == [(503, "unready", False), (500, "missing", False)]


def test_no_weight_at_all_is_500():
    [reply] = ask(shop(route("shop", rule(ref("shop-blue", 0), ref("shop-green", 0)))))
    assert reply.answer.status == 500


def test_no_route_is_404():
    [reply] = ask(build(NS, "us-east-1", [gateway()], [], finds([], [])))
    assert (reply.answer.status, reply.cause) == (404, "unrouted")


def maintained(mode):
    under = route()
    text = json.dumps({"until": "1970-01-01T00:01:40+00:00", "mode": mode})
    under["metadata"] = meta("shop", annotations={"tidegate.dev/maintenance": text})
    return shop(under)


def test_a_banner_goes_with_every_answer_until_it_lapses():
    [before], [after] = ask(maintained("banner"), now=99.0), ask(maintained("banner"), now=100.0)
    assert (before.answer.status, dict(before.headers)) == (200, {"X-Maintenance": "true"})
    assert dict(after.headers) == {}


def test_a_block_is_503_until_it_lapses():
    [before], [after] = ask(maintained("block"), now=90.5), ask(maintained("block"), now=100.0)
    assert (before.answer.status, before.headers["Retry-After"], before.by_service) == (503, "10", False)
    assert after.answer.status == 200


def test_errors_and_latency_are_the_versions_own_and_health_stays_good():
    around = world(pod("b1", error_rate=0.2, latency=0.3), pod("b2", error_rate=0.2, latency=0.3))
    table, split = shop(route("shop", rule(ref("shop-blue")))), SmoothSplit()
    pages = ask(table, around=around, split=split, times=100)
    assert Counter(r.answer.status for r in pages) == {200: 80, 500: 20}
    assert {r.answer.seconds for r in pages} == {0.3}
    assert {r.answer.status for r in ask(table, Request("/health"), around=around, split=split, times=50)} == {200}


def test_the_closest_override_wins_while_it_runs():
    around = world(*PODS)
    table = shop(route("shop", rule(ref("shop-green"))))
    around.overrides["*", "1.5.0"] = {"error_rate": 1.0}
    assert ask(table, around=around)[0].answer.status == 500
    around.overrides["us-east-1", "1.5.0"] = {"error_rate": 0.0, "latency": 0.1}
    [reply] = ask(table, around=around)
    assert (reply.answer.status, reply.answer.seconds) == (200, 0.1)


def test_the_application_tells_its_version_and_knows_its_pages():
    around = world(replace(PODS[0], commit="abc"), PODS[1])
    table, split = shop(route("shop", rule(ref("shop-blue")))), SmoothSplit()
    first, second = ask(table, Request("/version"), around=around, split=split, times=2)
    about = {"version": "1.4.0", "environment": "production", "region": "us-east-1"}
    assert json.loads(first.answer.body) == {**about, "commit": "abc", "pod": "pod-b1"}
    assert json.loads(second.answer.body) == {**about, "pod": "pod-b2"}
    assert ask(table, Request("/nowhere"))[0].answer.status == 404


def inside(**slots):
    traffic = Traffic(world(*PODS), SmoothSplit())
    traffic.install(NS, shop(**slots))
    return Inside(traffic)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop-blue/health",
        "http://shop-blue:80/health",
        "shop-blue/health",
        f"http://shop-blue.{NS}/health",
        f"http://shop-blue.{NS}.svc/health",
        f"http://shop-blue.{NS}.svc.cluster.local:80/health",
        "http://127.0.0.1:8001/health",
    ],
)
async def test_a_pod_reaches_a_service_by_name(url):
    answer = await inside().fetch(NS, url)
    assert (answer.status, answer.body) == (200, b'{"status": "ok", "version": "1.4.0"}')


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://nothing/", b"no such host"),
        ("http://shop-blue.elsewhere/", b"no such host"),
        (f"http://shop-blue.{NS}.example/", b"no such host"),
        ("http://shop-blue:81/", b"has no port 81"),
        ("http://shop-green/", b"has no ready pod"),
    ],
)
async def test_a_pod_is_told_why_there_is_no_answer(url, why):
    answer = await inside(green=()).fetch(NS, url)
    assert answer.status == 0
    assert why in answer.body


async def test_a_pod_that_ended_refuses_the_connection():
    ending = inside(blue=("gone",))
    answer = await ending.fetch(NS, "http://shop-blue/")
    assert isinstance(answer, Answer)
    assert (answer.status, b"does not listen" in answer.body) == (0, True)
