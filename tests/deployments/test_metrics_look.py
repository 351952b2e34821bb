"""One look at what is under way: a cluster's API at its transport, and Prefect's records."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fake_prefect import FLOWS, FakePrefect
from fakeapi import FakeApi

from clients import lease
from clients.lease import State
from clients.prefect_records import Records
from config import load
from deployments.metrics.look import look
from release import names
from release.environment import Environment
from release.locking import Held, Holder
from release.underway import Evidence, LockSeen, Now, Weight

REGIONS = ("us-east-1", "eu-west-1")
RUN = "run-1"


def production() -> Environment:
    environment = load.environment("production")
    regions = {name: replace(environment.regions[name], context="here", namespace=name) for name in environment.regions}
    return replace(environment, regions={name: regions[name] for name in REGIONS})


def application() -> str:
    return load.settings().application.name


def hold(cluster: FakeApi, what: str, seconds: float, renewed: float = 1.0) -> None:
    """Won so many seconds ago, and `renewed` seconds ago, for a minute each time."""
    now = time.time()
    held = Held(Holder(RUN, "ada", what), now - seconds, now - renewed, 60.0)
    name = names.lock(application())
    path = f"/apis/coordination.k8s.io/v1/namespaces/{REGIONS[0]}/leases/{name}"
    cluster.answers["GET", path] = lease.manifest(name, State(held, (), "7", now))


def split(cluster: FakeApi, region: str, blue: int, green: int) -> None:
    app = application()
    refs = [
        {"name": names.slot_release(app, "blue"), "weight": blue},
        {"name": names.slot_release(app, "green"), "weight": green},
    ]
    path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{region}/httproutes/{names.route(app)}"
    cluster.answers["GET", path] = {"metadata": {}, "spec": {"rules": [{"backendRefs": refs}]}}


def under_way(prefect: FakePrefect, **parameters: Any) -> None:
    """A production run that goes on, and its first region's."""
    at = datetime.now(UTC) - timedelta(seconds=30)
    prefect.ended(RUN, at, None, end_time=None, state_name="Running", parameters=parameters)
    child = {"region": REGIONS[0], "strategy": "canary"}
    prefect.ended("c1", at, None, end_time=None, parent=RUN, flow_id=FLOWS["region"], parameters=child)


async def seen(prefect: FakePrefect) -> Now:
    async with Records("http://prefect/api", transport=prefect.transport) as records:
        return await look(records, [production()])


async def test_a_release_is_seen_with_its_strategy_weights_and_evidence(cluster: FakeApi) -> None:
    prefect = FakePrefect()
    under_way(prefect)
    hold(cluster, "production v1.5.0", 30)
    split(cluster, "us-east-1", 90, 10)
    split(cluster, "eu-west-1", 100, 0)
    facts = {"run": RUN, "environment": "production", "region": "us-east-1"}
    numbers = {"against": 1.5, "needed": 6.9, "favour": 0.1, "wanted": 2.0}
    for told in (facts | numbers, facts | numbers | {"run": "an-older-run", "region": "eu-west-1"}):
        prefect.artifacts.append({"key": "live-production-r", "data": json.dumps(told)})
    found = await seen(prefect)
    [release] = found.releases
    assert (release.pipeline, release.strategy, release.regions) == ("production", "canary", REGIONS)
    assert 29 <= release.seconds <= 35
    assert set(found.weights) == {Weight("production", "us-east-1", 90, 10), Weight("production", "eu-west-1", 100, 0)}
    assert found.evidence == (Evidence("production", "us-east-1", 1.5, 6.9, 0.1, 2.0),)
    assert found.sources == {"cluster/production": True, "prefect": True}


async def test_a_release_by_the_regions_own_workers_has_its_strategy(cluster: FakeApi) -> None:
    prefect, at = FakePrefect(), datetime.now(UTC) - timedelta(seconds=30)
    prefect.ended(RUN, at, None, end_time=None, state_name="Running", parameters={})
    for name, do, strategy in (("c1", "check", "rolling"), ("c2", "forward", "canary")):
        child = {"region": REGIONS[0], "do": do, "strategy": strategy}
        prefect.ended(name, at, None, end_time=None, parent=RUN, flow_id=FLOWS["regional"], parameters=child)
    hold(cluster, "production v1.5.0", 30)
    [release] = (await seen(prefect)).releases
    assert release.strategy == "canary"


async def test_only_the_regions_that_were_asked_for_are_under_way(cluster: FakeApi) -> None:
    prefect = FakePrefect()
    under_way(prefect, regions=["eu-west-1", "nowhere"])
    hold(cluster, "production v1.5.0", 30)
    [release] = (await seen(prefect)).releases
    assert release.regions == ("eu-west-1",)


async def test_a_rollback_that_prefect_does_not_know_is_under_way_all_the_same(cluster: FakeApi) -> None:
    hold(cluster, "rollback to v1.4.0", 5)
    [release] = (await seen(FakePrefect())).releases
    assert (release.pipeline, release.strategy, release.regions) == ("rollback", "rollback", REGIONS)


async def test_upkeep_holds_the_lock_but_is_no_release(cluster: FakeApi) -> None:
    hold(cluster, "retire in production", 5)
    found = await seen(FakePrefect())
    assert found.releases == ()
    assert found.locks[0].seconds is not None


async def test_a_lock_whose_holder_died_has_lapsed(cluster: FakeApi) -> None:
    hold(cluster, "production v1.5.0", 300, renewed=90)
    [lock] = (await seen(FakePrefect())).locks
    assert lock.lapsed
    assert (lock.seconds or 0) >= 299


async def test_a_free_lock_and_what_does_not_answer(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await seen(FakePrefect())).locks == (LockSeen("production"),)
    monkeypatch.setenv("TIDEGATE__KUBECONFIG", "/nowhere")
    found = await seen(FakePrefect())
    assert (found.locks, found.sources["cluster/production"]) == ((), False)
