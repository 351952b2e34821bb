from __future__ import annotations

import pytest
from gateway_objects import pod, ref, route, rule, shop, world
from prometheus_client.parser import text_string_to_metric_families

from sandbox.gateway import exposition, picture, windows
from sandbox.gateway.counters import Meter
from sandbox.gateway.model import Request
from sandbox.gateway.split import SmoothSplit
from sandbox.gateway.traffic import Traffic

GREEN = "production-us-east-1-shop-green-http-80@kubernetesgateway"
BLUE = "production-us-east-1-shop-blue-http-80@kubernetesgateway"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def traffic(*pods, table=None, clock=None):
    made = Traffic(world(*(pods or (pod("b1"), pod("b2"), pod("g1", "1.5.0")))), SmoothSplit(), clock=clock or Clock())
    made.install("production-us-east-1", table or shop())
    return made


def visit(traffic, times, seconds=0.0):
    entry, request = traffic.entries[8001], Request()
    for _ in range(times):
        reply = traffic.arrive(entry, request)
        traffic.finish(entry, request, reply, reply.answer.status, seconds, user=True)
    return traffic.meters["us-east-1"]


def samples(meter, at=None):
    text = exposition.text({"us-east-1": (meter, at)}).decode()
    return [each for family in text_string_to_metric_families(text) for each in family.samples]


def value(meter, name, **labels):
    return sum(each.value for each in samples(meter) if each.name == name and labels.items() <= each.labels.items())


def test_a_good_request_is_counted_at_all_three_levels():
    meter = visit(traffic(), 100)
    assert value(meter, "traefik_entrypoint_requests_total", entrypoint="web", code="200", method="GET") == 100
    assert value(meter, "traefik_router_requests_total", protocol="http", region="us-east-1") == 100
    assert value(meter, "traefik_service_requests_total", service=BLUE) == 90
    assert value(meter, "traefik_service_requests_total", service=GREEN) == 10
    [router] = {each.labels["router"] for each in samples(meter) if "router" in each.labels}
    assert router.startswith("httproute-production-us-east-1-shop-gw-production-us-east-1-tidegate-ep-web-0-")
    assert router.endswith("@kubernetesgateway")


@pytest.mark.parametrize(("green", "code", "by_service"), [((), "503", 0), (("gone",), "502", 10)])
def test_what_no_pod_was_asked_for_is_not_in_the_services_counters(green, code, by_service):
    meter = visit(traffic(table=shop(green=green)), 100)
    assert value(meter, "traefik_service_requests_total", service=GREEN) == by_service
    assert value(meter, "traefik_router_requests_total", code=code) == 10
    assert value(meter, "traefik_entrypoint_requests_total", code=code) == 10
    assert value(meter, "traefik_service_requests_total", service=BLUE, code="200") == 90


def test_a_missing_service_is_in_the_routes_counters_only():
    table = shop(route("shop", rule(ref("shop-blue", 90), ref("gone", 10))))
    meter = visit(traffic(table=table), 100)
    assert value(meter, "traefik_router_requests_total", code="500") == 10
    assert value(meter, "traefik_service_requests_total") == 90


def test_a_user_who_left_is_499_by_service():
    home = traffic()
    entry, request = home.entries[8001], Request()
    home.leave(entry, request, home.arrive(entry, request), 2.0)
    assert value(home.meters["us-east-1"], "traefik_service_requests_total", code="499", service=BLUE) == 1


def test_durations_have_traefiks_buckets():
    home = traffic()
    for seconds in (0.01, 0.1, 0.2, 1.0, 9.0):
        visit(home, 1, seconds)
    meter, name = home.meters["us-east-1"], "traefik_entrypoint_request_duration_seconds"
    below = {each.labels["le"]: each.value for each in samples(meter) if each.name == f"{name}_bucket"}
    assert below == {"0.1": 2, "0.3": 3, "1.2": 4, "5.0": 4, "+Inf": 5}
    assert value(meter, f"{name}_sum") == pytest.approx(10.31)
    assert value(meter, f"{name}_count") == 5


def test_samples_have_a_time_only_when_they_are_old():
    meter = visit(traffic(), 1)
    assert {each.timestamp for each in samples(meter)} == {None}
    assert {each.timestamp for each in samples(meter, 1000.0)} == {1000.0}


def test_windows_count_what_is_recent():
    clock = Clock()
    home = traffic(pod("b1", error_rate=1.0), pod("b2", error_rate=1.0), pod("g1", "1.5.0"), clock=clock)
    meter = home.meters["us-east-1"]
    for _ in range(20):
        visit(home, 10)
        meter.sample(clock.now, keep=900)
        clock.now += 1
    wanted = windows.of_application("shop")
    assert windows.recent(meter, wanted, 5, clock.now) == (40, 36)
    assert windows.recent(meter, wanted, 600, clock.now) == (200, 180)
    assert windows.recent(meter, windows.of_application("shop-green"), 600, clock.now) == (20, 0)
    assert windows.recent(meter, windows.of_application("other"), 600, clock.now) == (0, 0)
    seconds = windows.series(meter, 5, clock.now)
    assert [at for at, _ in seconds] == [1015, 1016, 1017, 1018, 1019]
    assert all(sum(requests for requests, _ in counts.values()) == 10 for _, counts in seconds)


def test_old_samples_are_dropped():
    meter = Meter()
    for at in range(100):
        meter.sample(float(at), keep=10)
    assert len(meter.ring) == 11


def test_users_totals_tell_the_cause():
    users = visit(traffic(table=shop(green=())), 100).users
    assert (users.requests, users.errors) == (100, 10)
    assert users.codes == {200: 90, 503: 10}
    assert users.causes == {"unready": 10}
    assert users.services == {("shop-green", "unready"): 10}


def test_the_picture_of_a_region():
    clock = Clock()
    home = traffic(clock=clock)
    meter = visit(home, 10)
    meter.sample(clock.now, keep=900)
    visit(home, 100)
    meter.sample(clock.now + 1, keep=900)
    drawn = picture.region(home.entries.values(), meter, home.world.pods, clock.now + 1, 60)
    [shown] = drawn["routes"]
    assert [(s["slot"], s["weight"], s["ready"], s["versions"]) for s in shown["slots"]] == [
        ("blue", 90, 2, {"1.4.0": 2}),
        ("green", 10, 1, {"1.5.0": 1}),
    ]
    assert drawn["series"] == [
        {
            "t": 1001,
            "requests": 100,
            "errors": 0,
            "slots": {"blue": {"requests": 90, "errors": 0}, "green": {"requests": 10, "errors": 0}},
        }
    ]
    assert drawn["ports"] == {"web": 8001, "preview-blue": 8002, "preview-green": 8003}
