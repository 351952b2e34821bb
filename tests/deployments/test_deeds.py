"""What people do from the board at a cluster's API, and what the board sees of clusters and locks there."""

from __future__ import annotations

import time

import pytest
from aiohttp import web
from board_world import RUN, under_way
from fakeapi import FakeApi

from clients import lease
from clients.lease import State
from clients.store import Store
from config import load
from deployments.service import world
from deployments.service.deeds import RealDeeds
from release import names
from release.board import fold
from release.board_actions import plan
from release.board_seen import Seen
from release.errors import Refused
from release.locking import Held, Holder

APP = load.settings().application.name
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/production/leases/{names.lock(APP)}"
ROUTE = f"/apis/gateway.networking.k8s.io/v1/namespaces/production/httproutes/{names.route(APP)}"
LISTS = (
    "/api/v1/namespaces/production/pods",
    "/api/v1/namespaces/production/secrets",
    "/apis/apps/v1/namespaces/production/deployments",
    "/apis/autoscaling/v2/namespaces/production/horizontalpodautoscalers",
)


def hold(cluster: FakeApi, run: str) -> None:
    """The lock of production, which keeps what is put there."""
    now = time.time()
    held = Held(Holder(run, "ada", "production v1.5.0"), now - 30, now, 60.0)
    cluster.answers["GET", LEASE] = lease.manifest(names.lock(APP), State(held, (), "7", now))

    def put(_: web.Request) -> web.Response:
        cluster.answers["GET", LEASE] = cluster.seen[-1][3]
        return web.json_response(cluster.seen[-1][3])

    cluster.answers["PUT", LEASE] = put


def orders(cluster: FakeApi) -> list[tuple[str, str, str]]:
    held = lease.read(cluster.answers["GET", LEASE], time.time()).held
    assert held is not None
    return [(one.what, one.who, one.reason) for one in held.orders]


async def look(part: str, before: Seen) -> Seen:
    environments = [load.environment(name) for name in load.ENVIRONMENTS]
    found = {one.name: one for one in world.parts(environments, Store("sqlite:///nowhere.db"))}
    return (await found[part].look(before))(before)


async def test_an_order_from_the_board_stands_in_the_lock_with_who_gave_it(cluster: FakeApi) -> None:
    hold(cluster, RUN)
    board = fold(under_way())
    for action, reason in (("hold", "let us look"), ("abort", "wrong version")):
        told = await RealDeeds().do(plan(board, action, RUN), "bob", reason, "")
        assert told == f"{action}: told production v1.5.0 in production."
    assert orders(cluster) == [("hold", "bob", "let us look"), ("abort", "bob", "wrong version")]


async def test_an_order_to_a_release_that_holds_no_lock_any_more_is_refused(cluster: FakeApi) -> None:
    hold(cluster, "another-run")
    with pytest.raises(Refused, match="under way"):
        await RealDeeds().do(plan(fold(under_way()), "hold", RUN), "bob", "", "")
    assert cluster.writes() == []


async def test_a_lock_is_seen_with_its_holder_and_without(cluster: FakeApi) -> None:
    nothing = world.nothing_seen([load.environment(name) for name in load.ENVIRONMENTS])
    part = "the lock of production"
    assert {one.held for one in (await look(part, nothing)).locks} == {None}
    hold(cluster, RUN)
    held = {one.environment: one.held for one in (await look(part, nothing)).locks}
    assert held["staging"] is None
    assert held["production"] is not None and held["production"].holder.run == RUN


async def test_a_region_is_seen_and_one_that_does_not_answer_keeps_what_was_seen(
    cluster: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = [
        {"name": names.slot_release(APP, slot), "weight": 90 if slot == "blue" else 10} for slot in ("blue", "green")
    ]
    cluster.answers |= {("GET", path): {"items": []} for path in LISTS}
    cluster.answers["GET", ROUTE] = {"metadata": {}, "spec": {"rules": [{"backendRefs": refs}]}}
    found = await look("production us-east-1", world.nothing_seen([load.environment("production")]))
    seen = {one.region: one for one in found.regions}
    state = seen["us-east-1"].state
    assert state is not None and state.route is not None and (state.route.blue, state.route.green) == (90, 10)
    assert seen["eu-west-1"].state is None, "that is another part's"
    monkeypatch.setenv("TIDEGATE__KUBECONFIG", "/nowhere")
    away = {one.region: one for one in (await look("production us-east-1", found)).regions}["us-east-1"]
    assert away.problem and (away.state, away.at) == (state, seen["us-east-1"].at)
