"""A real Prometheus server on loopback that scrapes the simulated gateway's text."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from clients.metrics import traefik
from clients.metrics_prometheus import PrometheusMetrics
from release.errors import Unavailable
from release.verdict import Cause, Counts, Kind, Policy, Verdict, judge, start
from sandbox.gateway import labels
from sandbox.gateway.counters import Meter
from sandbox.gateway.model import EntryPoint, Match, Pool, Reply, Request, Rule
from sandbox.gateway.monitoring import Monitoring
from sandbox.prometheus import PrometheusServer
from sandbox.world import Answer

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
REGION, NAMESPACE = "us-east-1", "production"
TARGET = traefik(REGION, "shop", NAMESPACE, "shop-green", "shop-blue", labels={"region": REGION})
ROUTER = labels.router(NAMESPACE, "shop", "tidegate", "web", 0, "PathPrefix(`/`)")
RULE = Rule("shop", ROUTER, labels.balancer(ROUTER), (), Match(), (), ())
ENTRY = EntryPoint(REGION, NAMESPACE, "tidegate", "web", 8000, (RULE,))
# 100 requests a second, 30 of them the canary's, at a speed at which the verdict waits for no clock.
FAST = Policy(
    weights=(30,),
    min_step=1.0,
    settle=0.1,
    known=0.0,
    latency=None,
    stale_after=1.5,
    hold_after=2.0,
    give_up_after=4.0,
)
RULES = """
groups:
  - name: test
    rules: [{alert: ShopFails, expr: 'sum(traefik_router_requests_total{code="500"}) > 5'}]
"""


def count(meter: Meter, service: str, status: int, times: int) -> None:
    pool = Pool(service, labels.service(NAMESPACE, service, 80), 50)
    for _ in range(times):
        meter.count(ENTRY, Request(), Reply(Answer(status), "application", RULE, pool), status, 0.01)


class Served:
    """The gateway's counters of two regions with the same names, served and scraped."""

    def __init__(self) -> None:
        self.meter, self.elsewhere = Meter(), Meter()
        self.text = Monitoring({REGION: self.meter, "eu-west-1": self.elsewhere}, time.time)
        self.prometheus = ""


@pytest_asyncio.fixture(loop_scope="module")
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES)
    found = Served()
    server = PrometheusServer(tmp_path / "data", cache(), tmp_path / "log", speed=20, rules=str(rules), say=print)
    await found.text.start()
    try:
        found.prometheus = await server.start(urlsplit(found.text.address).netloc)
        yield found
        server.check()
    finally:
        await server.stop()
        await found.text.stop()


def cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("TIDEGATE_CACHE") or home / "tidegate")


@asynccontextmanager
async def users(meter: Meter, canary_errors: float) -> AsyncIterator[None]:
    """100 requests a second."""

    async def come() -> None:
        owed = 0.0
        while True:
            count(meter, "shop-blue", 200, 7)
            owed += 3 * canary_errors
            count(meter, "shop-green", 500, int(owed))
            count(meter, "shop-green", 200, 3 - int(owed))
            owed -= int(owed)
            await asyncio.sleep(0.1)

    coming = asyncio.create_task(come())
    try:
        yield
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


async def judged(address: str, until: Callable[[Verdict], bool], within: float = 30.0) -> list[Verdict]:
    """All verdicts on the canary, read every quarter of a second, to the first that `until` is true of."""
    state, found, ends = start(FAST), [], time.monotonic() + within
    async with PrometheusMetrics(address) as metrics:
        while time.monotonic() < ends:
            try:
                sample = await metrics.sample(TARGET)
            except Unavailable:
                sample = None
            state, verdict = judge(state, sample, 30, time.monotonic())
            found.append(verdict)
            if until(verdict):
                return found
            await asyncio.sleep(0.25)
    raise AssertionError(found[-1].sentence)


async def test_a_bad_canary_is_found_through_it(served: Served) -> None:
    async with users(served.meter, canary_errors=0.2):
        seen = await judged(served.prometheus, lambda one: one.action is Kind.ROLLBACK)
    assert seen[-1].cause is Cause.BAD
    assert seen[-1].canary.errors > 3


async def test_a_good_canary_is_accepted_through_it(served: Served) -> None:
    async with users(served.meter, canary_errors=0.0):
        seen = await judged(served.prometheus, lambda one: one.action is Kind.ADVANCE)
    assert Kind.ROLLBACK not in {one.action for one in seen}


async def test_another_regions_series_are_not_counted(served: Served) -> None:
    count(served.meter, "shop-green", 200, 3)
    count(served.elsewhere, "shop-green", 500, 90)
    async with PrometheusMetrics(served.prometheus) as metrics:
        await until_true(lambda: metrics.sample(TARGET), lambda sample: sample.canary == Counts(3, 0, (3, 3, 3, 3)))
        assert (await metrics.sample(TARGET)).entry == Counts(3, 0)


async def test_one_that_is_not_scraping_decides_nothing(served: Served) -> None:
    async with users(served.meter, canary_errors=0.2):
        served.text.freeze()
        seen = await judged(served.prometheus, lambda one: one.finding.page, within=60)
    assert {one.action for one in seen} <= {Kind.CONTINUE, Kind.HOLD}
    assert seen[-1].cause is Cause.PROVIDER_DOWN


async def test_one_that_scrapes_nobody_decides_nothing(served: Served) -> None:
    async with users(served.meter, canary_errors=0.2):
        await judged(served.prometheus, lambda one: one.canary.requests > 0)
        await served.text.stop()
        seen = await judged(served.prometheus, lambda one: one.finding.page, within=60)
    assert {one.action for one in seen} <= {Kind.CONTINUE, Kind.HOLD}
    assert seen[-1].cause is Cause.PROVIDER_DOWN


async def test_one_that_is_gone_decides_nothing() -> None:
    seen = await judged("http://127.0.0.1:9", lambda one: one.finding.page)
    assert {one.action for one in seen} <= {Kind.CONTINUE, Kind.HOLD}
    assert seen[-1].cause is Cause.PROVIDER_DOWN


async def test_its_rules_raise_alerts(served: Served) -> None:
    count(served.meter, "shop-blue", 500, 9)
    async with httpx.AsyncClient(base_url=served.prometheus, trust_env=False) as http:

        async def alerts() -> list[str]:
            found = (await http.get("/api/v1/alerts")).json()["data"]["alerts"]
            return [one["labels"]["alertname"] for one in found if one["state"] == "firing"]

        await until_true(alerts, lambda names: names == ["ShopFails"])


async def test_without_any_prometheus_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    server = PrometheusServer(tmp_path / "data", tmp_path, tmp_path / "log")
    with pytest.raises(Unavailable, match="No Prometheus can be had") as error:
        await server.start("127.0.0.1:9")
    assert "--prometheus" in str(error.value.next_step)


async def test_bad_rules_are_told_with_its_own_words(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: 3")
    server = PrometheusServer(tmp_path / "data", cache(), tmp_path / "log", rules=str(rules))
    with pytest.raises(Unavailable) as error:
        await server.start("127.0.0.1:9")
    await server.stop()
    assert "rules.yml" in str(error.value.next_step)


async def until_true(ask: Callable[[], Awaitable[Any]], true: Callable[[Any], bool], within: float = 15.0) -> None:
    ends = time.monotonic() + within
    while True:
        try:
            found = await ask()
        except Unavailable:
            found = None
        if found is not None and true(found):
            return
        assert time.monotonic() < ends, found
        await asyncio.sleep(0.1)
