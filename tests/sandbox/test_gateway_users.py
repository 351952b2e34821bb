from __future__ import annotations

import asyncio

import pytest
from gateway_objects import NS, found, gateway, pod, route, shop, world

from sandbox.gateway.split import SmoothSplit
from sandbox.gateway.table import build
from sandbox.gateway.traffic import Traffic
from sandbox.gateway.users import Users


def crowd(*pods, speed=1.0, table=None, **settings):
    home = Traffic(world(*(pods or (pod("b1"), pod("b2"), pod("g1"))), speed=speed), SmoothSplit())
    home.install(NS, table or shop())
    return home, Users(home, **settings)


def arrivals(users, seconds=10.0, step=0.02):
    return sum(users.tick(tick * step) for tick in range(int(seconds / step)))


@pytest.mark.parametrize(("speed", "expected"), [(1, 500), (4, 2000)])
def test_the_rate_is_a_second_times_the_speed(speed, expected):
    home, users = crowd(speed=speed)
    assert arrivals(users) == pytest.approx(expected, abs=8)
    assert home.meters["us-east-1"].users.requests == pytest.approx(expected, abs=8)


def test_a_region_can_have_its_own_rate_or_nobody():
    _, users = crowd()
    users.set_rate(0, "us-east-1")
    assert arrivals(users) == 0
    users.set_rate(10, "us-east-1")
    assert arrivals(users) == pytest.approx(100, abs=2)
    users.set_rate(20)
    assert arrivals(users) == pytest.approx(200, abs=2)


def test_a_raised_rate_counts_at_once():
    _, users = crowd(rate=0.1)
    users.tick(0.0)
    users.set_rate(100)
    assert sum(users.tick(0.1 * tick) for tick in range(1, 11)) >= 85


def test_poisson_arrivals_scatter_around_the_rate():
    _, users = crowd(arrivals="poisson", seed=1)
    per_second = [arrivals_of_second(users, second) for second in range(100)]
    assert sum(per_second) == pytest.approx(5000, rel=0.1)
    assert len(set(per_second)) > 10


def arrivals_of_second(users, second):
    return sum(users.tick(second + tick / 20) for tick in range(20))


def test_after_a_pause_little_is_caught_up():
    _, users = crowd()
    users.tick(0.0)
    assert users.tick(60.0) <= 51


def test_nobody_comes_before_there_is_a_route():
    empty = build(NS, "us-east-1", [gateway()], [], found([], []))
    home, users = crowd(table=empty)
    assert arrivals(users) == 0
    home.install(NS, shop())
    assert arrivals(users) > 0
    home.install(NS, empty)
    assert arrivals(users) > 0
    assert home.meters["us-east-1"].users.causes.keys() == {"unrouted"}


def test_users_know_the_sites_name():
    home, users = crowd(table=shop(route(hostnames=["shop.example"])))
    arrivals(users)
    assert home.meters["us-east-1"].users.codes.keys() == {200}


async def test_who_waits_too_long_leaves():
    slow = [pod("b1", latency=0.06), pod("b2", latency=5.0), pod("g1")]
    home, users = crowd(*slow, patience=0.1, rate=1000)
    users.tick(0.0)
    users.tick(0.1)
    seen = home.meters["us-east-1"].users
    assert set(seen.codes) == {200}
    await asyncio.sleep(0.15)
    assert set(seen.codes) == {200, 499}
    assert seen.causes == {"impatient": seen.codes[499]}
