"""Traces and metrics where an OTLP endpoint is set, and nothing of them where none is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from collector import collecting

from tasks import telemetry

CALLS = """
import asyncio, contextlib, httpx, sys
from clients.process import run
from tasks import telemetry
assert telemetry.start() and telemetry.start()

async def main():
    await run(["git", "version", "--secret"], timeout=10)
    async with httpx.AsyncClient(trust_env=False) as http:
        with contextlib.suppress(httpx.HTTPError):
            await http.get("http://127.0.0.1:9/hooks/hunter2?token=hunter2")
        with contextlib.suppress(httpx.HTTPError):
            await http.get("http://localhost:9/api")

asyncio.run(main())
"""


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")} | environment
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=given)


def test_without_an_endpoint_nothing_of_the_sdk_is_loaded() -> None:
    code = "import sys, flows.production, deployments.service.main; print([m for m in sys.modules if '.sdk' in m])"
    done = python(code)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_outside_calls_are_spans_without_what_may_be_secret() -> None:
    with collecting() as collector:
        address = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "PREFECT_API_URL": "http://localhost:9/api"}
        done = python(CALLS, **address)
        assert done.returncode == 0, done.stderr
        assert [span.name for span in collector.spans] == ["git version", "127.0.0.1 GET"]
        assert "hunter2" not in "".join(map(str, collector.spans))
        assert collector.metrics == {"tidegate.duration"}


@pytest.mark.parametrize(
    ("name", "path", "spans", "metrics"),
    [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces", 3, set()),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "/v1/metrics", 0, {"tidegate.duration"}),
    ],
)
def test_each_goes_only_where_somebody_said(name: str, path: str, spans: int, metrics: set[str]) -> None:
    with collecting() as collector:
        done = python(CALLS, **{name: f"{collector.url}{path}"})
        assert (done.returncode, done.stderr) == (0, ""), "nothing is tried anywhere else"
        assert (len(collector.spans), collector.metrics) == (spans, metrics)


ENDED = """
from release.outcome import Outcome
from tasks import telemetry
telemetry.ended(Outcome("production", "recovered", strategy="canary", seconds=4.0))
telemetry.start()
telemetry.ended(Outcome("production", "recovered", strategy="canary", seconds=4.0))
telemetry.ended(Outcome("production", "refused", strategy="x" * 900))
"""


def test_runs_that_ended_are_measured_by_their_outcome() -> None:
    with collecting() as collector:
        done = python(ENDED, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
        assert (done.returncode, done.stderr) == (0, "")
        assert collector.points == [
            ("tidegate.release.duration", {"pipeline": "production", "strategy": "canary", "outcome": "recovered"}),
            ("tidegate.release.duration", {"pipeline": "production", "strategy": "other", "outcome": "refused"}),
        ]


def test_an_endpoint_without_the_extra_is_refused_with_the_next_step() -> None:
    code = "import sys; sys.modules['opentelemetry.exporter'] = None; from tasks import telemetry; telemetry.start()"
    done = python(code, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert "OpenTelemetry's SDK is not installed" in done.stderr
    assert "pip install -e '.[telemetry]'" in done.stderr


def test_no_endpoint_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in telemetry.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert telemetry.start() is False
