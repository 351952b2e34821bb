"""Reading a region's metrics while it is released: whatever the provider answers, a version is not judged by it."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path

import httpx
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from prefect.logging import disable_run_logger

from clients.metrics_prometheus import PrometheusMetrics
from clients.metrics_rate import RateMetrics
from clients.metrics_text import TextMetrics
from config import load
from release.errors import Refused
from release.verdict import Cause, Kind, Limit, Policy, judge, start, start_watch, watch
from tasks import metrics

URL = "http://monitoring.test"
REGION = next(iter(load.environment("production").regions.values()))


@pytest.mark.parametrize("status", [302, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("client", [TextMetrics, PrometheusMetrics])
async def test_whatever_stands_before_the_metrics_says_nothing_of_a_version(
    status: int, client: type[TextMetrics] | type[PrometheusMetrics]
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, text="sign in, please"))
    async with client(URL, transport=transport) as source:
        read = metrics.Reader(source, REGION, "gateway")
        sample = await read("green", "blue")
    assert sample is None
    assert f"answered {status}" in read.told("NO_DATA")
    state, canary = judge(start(Policy()), sample, 10, 0.0)
    for now in range(1, 200):
        state, canary = judge(state, sample, 10, float(now))
    assert (canary.action, canary.cause, canary.finding.page) == (Kind.HOLD, Cause.PROVIDER_DOWN, True)
    _, window = watch(start_watch(Limit(0.01)), sample, 0.0)
    assert (window.kind, window.cause) == (Kind.NO_DATA, Cause.PROVIDER_DOWN)


async def test_what_kept_it_from_reading_is_forgotten_once_it_reads() -> None:
    answers = [httpx.Response(404), httpx.Response(200, json={"rate": 0.0, "requests": 1})]
    async with RateMetrics(URL, transport=httpx.MockTransport(lambda _: answers.pop(0))) as source:
        read = metrics.Reader(source, REGION, "json")
        assert await read("green", "blue") is not None, "the first reading asks nobody"
        source._seen[REGION.name, "shop"].asked -= 10
        assert await read("green", "blue") is None
        assert read.why
        assert await read("green", "blue") is not None
        assert read.told("fine") == "fine"


def answering(rate: float) -> TestServer:
    """An endpoint that tells a rate and its time, ten seconds later with every answer, and no requests."""
    times = count(int(time.time()) + 10, 10)

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"rate": rate, "at": next(times)})

    app = web.Application()
    app.router.add_get("/api/error-rate", answer)
    return TestServer(app)


def settings(folder: Path, monkeypatch: pytest.MonkeyPatch, **monitoring: object) -> None:
    monkeypatch.setenv("TIDEGATE_HOME", str(folder))
    (folder / "overlay").mkdir()
    (folder / "overlay" / "tidegate.yaml").write_text(yaml.safe_dump({"monitoring": monitoring}))


@pytest.mark.parametrize(("usual", "counted"), [(None, None), (5.0, (3000, 30))])
async def test_a_rate_without_requests_is_said_or_has_the_usual_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usual: float | None, counted: tuple[int, int] | None
) -> None:
    async with answering(0.01) as server:
        settings(tmp_path, monkeypatch, url=str(server.make_url("")), requests_per_second=usual)
        with disable_run_logger():
            if counted is None:
                with pytest.raises(Refused, match="does not say of how many requests") as error:
                    await metrics._last(REGION, "json", 600)
                assert error.value.field == "monitoring.requests_per_second"
                return
            found = await metrics._last(REGION, "json", 600)
    assert found is not None
    assert (found.requests, found.errors) == counted


async def test_an_error_rate_as_json_serves_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(0.2) as server:
        settings(tmp_path, monkeypatch, url=str(server.make_url("")), requests_per_second=50.0)
        async with metrics.reader(REGION, "json") as read:
            assert isinstance(read.source, RateMetrics)
            state, found = watch(start_watch(Limit(0.02)), await read("green", "blue"), 0.0)
            for second in range(1, 30):
                read.source._seen[REGION.name, "shop"].asked -= 10
                state, found = watch(state, await read("green", "blue"), 10.0 * second)
    assert (found.action, found.cause) == (Kind.ROLLBACK, Cause.BAD)
