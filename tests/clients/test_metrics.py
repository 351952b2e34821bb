"""The gateway's counters by all three providers, against the sandbox's real server where it speaks the language."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from clients.metrics import Target, traefik
from clients.metrics_prometheus import PrometheusMetrics
from clients.metrics_rate import RateMetrics
from clients.metrics_text import TextMetrics, points
from release.errors import Refused, TidegateError, Unavailable
from release.verdict import Counts, Sample
from sandbox.gateway import labels
from sandbox.gateway.counters import Meter
from sandbox.gateway.model import EntryPoint, Match, Pool, Reply, Request, Rule
from sandbox.gateway.monitoring import Monitoring
from sandbox.world import Answer

NAMESPACE = "production-us-east-1"
TARGET = traefik("us-east-1", "shop", NAMESPACE, "shop-green", "shop-blue", labels={"region": "us-east-1"})
URL = "http://monitoring.test"


def pool(service: str) -> Pool:
    return Pool(service, labels.service(NAMESPACE, service, 80), 50)


def entry_and_rule(name: str = "web") -> tuple[EntryPoint, Rule]:
    route = "shop" if name == "web" else f"shop-{name}"
    router = labels.router(NAMESPACE, route, "tidegate", name, 0, "PathPrefix(`/`)")
    rule = Rule(route, router, labels.balancer(router), (), Match(), (), ())
    return EntryPoint("us-east-1", NAMESPACE, "tidegate", name, 8000, (rule,)), rule


def count(
    meter: Meter, service: str | None, status: int, times: int, seconds: float = 0.05, entry: str = "web"
) -> None:
    point, rule = entry_and_rule(entry)
    cause = "application" if service else "unready"
    reply = Reply(Answer(status), cause, rule, pool(service) if service else None)  # type: ignore[arg-type]
    for _ in range(times):
        meter.count(point, Request(), reply, status, seconds)


@asynccontextmanager
async def monitoring(meter: Meter) -> AsyncIterator[Monitoring]:
    server = Monitoring({"us-east-1": meter, "eu-west-1": Meter()}, time.time)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def filled() -> Meter:
    meter = Meter()
    count(meter, "shop-blue", 200, 80)
    count(meter, "shop-blue", 500, 2)
    count(meter, "shop-blue", 404, 1)
    count(meter, "shop-green", 200, 8, seconds=0.2)
    count(meter, "shop-green", 499, 1, seconds=3.0)
    count(meter, None, 503, 5)
    count(meter, None, 200, 7, entry="preview-green")
    return meter


async def test_the_gateways_text_gives_both_versions_the_route_and_the_entry_point() -> None:
    async with monitoring(filled()) as server, TextMetrics(server.address) as metrics:
        sample = await metrics.sample(TARGET)
    assert sample.bounds == (0.1, 0.3, 1.2, 5.0)
    assert sample.stable == Counts(83, 2, (83, 83, 83, 83))
    assert sample.canary == Counts(9, 1, (0, 8, 8, 9))
    assert sample.route == Counts(97, 8)
    assert sample.entry == Counts(97, 8)
    assert abs(sample.at - time.time()) < 5


async def test_a_region_has_its_own_address() -> None:
    async with monitoring(filled()) as server, TextMetrics(f"{server.address}/metrics/{{region}}") as metrics:
        assert (await metrics.sample(TARGET)).stable.requests == 83


async def test_another_regions_series_are_not_ours() -> None:
    elsewhere = traefik("eu-west-1", "shop", NAMESPACE, "shop-green", "shop-blue", labels={"region": "eu-west-1"})
    async with monitoring(filled()) as server, TextMetrics(server.address) as metrics:
        with pytest.raises(Unavailable, match="nothing on shop"):
            await metrics.sample(elsewhere)


async def test_metrics_that_stand_still_keep_their_time() -> None:
    async with monitoring(filled()) as server, TextMetrics(server.address) as metrics:
        server.freeze()
        first = await metrics.sample(TARGET)
        await asyncio.sleep(0.05)
        assert await metrics.sample(TARGET) == first
        server.thaw()
        assert (await metrics.sample(TARGET)).at > first.at


async def test_the_rate_of_the_text_is_between_two_readings() -> None:
    meter = filled()
    async with monitoring(meter) as server, TextMetrics(server.address) as metrics:
        with pytest.raises(Unavailable):
            await metrics.rate(TARGET, 0.01)
        await asyncio.sleep(0.02)
        count(meter, "shop-blue", 200, 30)
        count(meter, "shop-green", 500, 10)
        rate = await metrics.rate(TARGET, 0.01)
    assert (rate.rate, rate.requests) == (0.25, 40)


def test_a_long_text_is_read_fast_and_only_what_is_needed() -> None:
    other = "\n".join(f'go_gc_duration_seconds{{quantile="{i}"}} 1' for i in range(20_000))
    begun = time.perf_counter()
    assert points(other) == []
    assert time.perf_counter() - begun < 0.5
    assert points('traefik_service_requests_total{code="200",service="a"} 5 1700000000000\n')[0].at == 1_700_000_000.0


def test_a_broken_text_is_no_data() -> None:
    with pytest.raises(Unavailable, match="not Prometheus"):
        points('traefik_service_requests_total{code="200 5\n')


async def test_the_error_rate_endpoint_serves_absolute_limits() -> None:
    meter = filled()
    async with monitoring(meter) as server, RateMetrics(server.address) as metrics:
        rate = await metrics.rate(TARGET, 30)
        assert (rate.requests, round(rate.rate, 3)) == (97, round(7 / 97, 3))
        assert await metrics.sample(TARGET) == await metrics.sample(TARGET), "no second was over in between"


async def test_rates_are_summed_up_as_counters() -> None:
    transport = answering({"rate": 0.1})
    async with RateMetrics(URL, requests_per_second=20, transport=transport) as metrics:
        first = await metrics.sample(TARGET)
        metrics._seen["us-east-1", "shop"].asked -= 10
        second = await metrics.sample(TARGET)
    assert first.route == Counts()
    assert second.route == Counts(200, 20)


async def test_a_rate_alone_has_no_weight() -> None:
    async with RateMetrics(URL, transport=answering({"rate": 0.1})) as metrics:
        await metrics.sample(TARGET)
        metrics._seen["us-east-1", "shop"].asked -= 10
        with pytest.raises(Refused) as error:
            await metrics.sample(TARGET)
    assert error.value.field == "monitoring.requests_per_second"


@pytest.mark.parametrize("body", [{}, {"rate": "NaN"}, {"rate": 3}, {"rate": True}, [1]])
async def test_a_rate_that_is_none_is_no_data(body: Any) -> None:
    async with RateMetrics(URL, transport=answering(body)) as metrics:
        with pytest.raises(Unavailable):
            await metrics.rate(TARGET, 30)


def answering(body: Any, status: int = 200) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(status, json=body))


def series(name: str, value: float, at: float, **names: str) -> dict[str, Any]:
    return {"metric": {"__name__": name, "region": "us-east-1", **names}, "values": [[at - 5, "1"], [at, str(value)]]}


def prometheus(sent: list[httpx.URL], at: float = 1000.0) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.url)
        query = request.url.params["query"]
        if "increase" in query:
            value = "3" if "code=~" in query else "60"
            return reply("vector", [{"metric": {}, "value": [at, value]}])
        if "service=~" in query:
            return reply("matrix", services(at))
        if "router" in query:
            router = labels.router(NAMESPACE, "shop", "tidegate", "web", 0, "PathPrefix(`/`)")
            return reply("matrix", [series("traefik_router_requests_total", 55, at, code="200", router=router)])
        return reply("matrix", [series("traefik_entrypoint_requests_total", 60, at, code="200", entrypoint="web")])

    return httpx.MockTransport(answer)


def reply(kind: str, result: list[Any]) -> httpx.Response:
    return httpx.Response(200, json={"status": "success", "data": {"resultType": kind, "result": result}})


def services(at: float) -> list[dict[str, Any]]:
    total, bucket = "traefik_service_requests_total", "traefik_service_request_duration_seconds_bucket"
    return [
        series(total, 45, at, code="200", service=TARGET.stable),
        series(total, 5, at, code="502", service=TARGET.canary),
        series(bucket, 40, at, code="200", service=TARGET.stable, le="0.3"),
        series(bucket, 45, at, code="200", service=TARGET.stable, le="+Inf"),
    ]


async def test_a_prometheus_server_gives_its_newest_scrape_with_its_time() -> None:
    sent: list[httpx.URL] = []
    async with PrometheusMetrics(URL, transport=prometheus(sent)) as metrics:
        sample = await metrics.sample(TARGET)
    expected = Sample(1000.0, Counts(5, 5), Counts(45, 0, (40,)), Counts(55, 0), Counts(60, 0), (0.3,))
    assert sample == expected
    queries = [url.params["query"] for url in sent]
    assert len({url.params["time"] for url in sent}) == 1, "all are asked for one moment"
    assert all('region="us-east-1"' in query for query in queries)
    assert all(query.endswith("[2m]") for query in queries)


async def test_a_prometheus_server_gives_the_rate() -> None:
    async with PrometheusMetrics(URL, transport=prometheus([])) as metrics:
        rate = await metrics.rate(TARGET, 30)
    assert (rate.rate, rate.requests) == (0.05, 60)


async def test_a_prometheus_server_gives_the_stable_versions_past() -> None:
    """Every five seconds; a code that was answered for the first time half way counts from there."""
    sent: list[httpx.URL] = []
    total, bucket = "traefik_service_requests_total", "traefik_service_request_duration_seconds_bucket"

    def line(name: str, values: list[list[Any]], **names: str) -> dict[str, Any]:
        return {
            "metric": {"__name__": name, "region": "us-east-1", "service": TARGET.stable, **names},
            "values": values,
        }

    known = [
        line(total, [[1000, "50"], [1005, "60"], [1010, "70"]], code="200"),
        line(total, [[1010, "2"]], code="500"),
        line(bucket, [[1000, "40"], [1005, "48"], [1010, "56"]], code="200", le="0.3"),
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.url)
        return reply("matrix", known)

    async with PrometheusMetrics(URL, transport=httpx.MockTransport(answer)) as metrics:
        past = await metrics.history(TARGET, 600)
    (asked,) = sent
    query = asked.params
    assert (asked.path, query["step"]) == ("/api/v1/query_range", "5")
    assert float(query["end"]) - float(query["start"]) == 600
    assert TARGET.stable in query["query"] and 'region="us-east-1"' in query["query"]
    stable = [(sample.at, sample.stable) for sample in past]
    assert stable == [
        (1000, Counts(50, 0, (40,))),
        (1005, Counts(60, 0, (48,))),
        (1010, Counts(72, 2, (56,))),
    ]


async def test_a_prometheus_server_without_the_series_has_no_data() -> None:
    transport = answering({"status": "success", "data": {"resultType": "matrix", "result": []}})
    async with PrometheusMetrics(URL, transport=transport) as metrics:
        with pytest.raises(Unavailable, match="nothing on shop"):
            await metrics.sample(TARGET)


@pytest.mark.parametrize(
    "body",
    [
        {"status": "error", "error": "query timed out"},
        {"status": "success", "data": {"resultType": "vector", "result": []}},
        {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": []}]}},
    ],
)
async def test_a_prometheus_server_that_answers_something_else_is_down(body: Any) -> None:
    async with PrometheusMetrics(URL, transport=answering(body)) as metrics:
        with pytest.raises(Unavailable):
            await metrics.sample(TARGET)


@pytest.mark.parametrize(
    ("status", "kind", "field"),
    [
        (500, Unavailable, None),
        (503, Unavailable, None),
        (429, Unavailable, None),
        (401, Refused, "monitoring.token"),
        (404, Refused, "monitoring.url"),
        (302, Refused, "monitoring.url"),
    ],
)
async def test_errors_are_told_apart(status: int, kind: type[TidegateError], field: str | None) -> None:
    for metrics in providers(httpx.MockTransport(lambda _: httpx.Response(status, text="secret"))):
        async with metrics:
            with pytest.raises(kind) as error:
                await metrics.rate(TARGET, 30)
        assert error.value.field == field
        assert error.value.next_step
        assert "secret" not in str(error.value)


@pytest.mark.parametrize("failure", [httpx.ConnectError("no"), httpx.ReadTimeout("slow"), httpx.ReadError("gone")])
async def test_metrics_that_do_not_answer_are_unavailable(failure: Exception) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise failure

    for metrics in providers(httpx.MockTransport(answer)):
        async with metrics:
            with pytest.raises(Unavailable) as error:
                await metrics.rate(TARGET, 30)
        assert type(failure).__name__ in str(error.value)


async def test_a_bad_address_or_token_is_refused() -> None:
    with pytest.raises(Refused) as error:
        TextMetrics(URL, token="two words")
    assert error.value.field == "monitoring.token"
    async with TextMetrics("ftp://host") as metrics:
        with pytest.raises(Refused):
            await metrics.sample(TARGET)


async def test_the_token_is_sent() -> None:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"])
        return httpx.Response(200, json={"rate": 0.0})

    async with RateMetrics(URL, token="t0ken\n", transport=httpx.MockTransport(answer)) as metrics:
        await metrics.rate(TARGET, 30)
    assert sent == ["Bearer t0ken"]


def test_the_names_are_those_that_the_sandboxs_gateway_gives() -> None:
    assert TARGET.canary == labels.service(NAMESPACE, "shop-green", 80)
    assert TARGET.stable == labels.service(NAMESPACE, "shop-blue", 80)
    assert labels.router(NAMESPACE, "shop", "tidegate", "web", 1, "x").startswith(TARGET.router)
    assert not labels.router(NAMESPACE, "shop-preview-blue", "tidegate", "web", 0, "x").startswith(TARGET.router)


def providers(transport: httpx.MockTransport) -> list[TextMetrics | PrometheusMetrics | RateMetrics]:
    return [each(URL, transport=transport) for each in (TextMetrics, PrometheusMetrics, RateMetrics)]


def test_a_target_is_plain_data() -> None:
    assert Target("r", "shop", "c", "s", "h").errors == r"5\d\d|499"
