"""OpenTelemetry, where an OTLP endpoint is set: a trace a run, and the durations of runs, steps and outside calls.

Prefect's engine makes the spans of runs, regions and steps; `clients.tracing` those of outside calls. Where no endpoint
is set, nothing of the SDK is loaded.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from clients import tracing
from release.errors import Refused
from release.finished import STRATEGIES, label
from release.metrics import DURATIONS
from release.outcome import Outcome
from tasks.logs import region_of

if TYPE_CHECKING:
    import httpx
    from opentelemetry.sdk.trace import ReadableSpan

_ALL = "OTEL_EXPORTER_OTLP_ENDPOINT"
_TRACES, _METRICS = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
ENDPOINTS = (_ALL, _TRACES, _METRICS)
# The seconds that steps and calls take.
_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


def start() -> bool:
    """Begin to trace, once a process; whether an endpoint is set. Raises Refused without the extra `telemetry`."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return False
    if "opentelemetry.sdk.trace" in sys.modules:
        return True
    try:
        _start()
    except ImportError:
        raise Refused(
            "an OTLP endpoint is set, but OpenTelemetry's SDK is not installed.",
            field=ENDPOINTS[0],
            next_step="Install Tidegate with its extra `telemetry`: pip install -e '.[telemetry]', or unset it.",
        ) from None
    return True


def _start() -> None:
    from opentelemetry import metrics, trace
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "tidegate")})
    # Each goes only where somebody said: an exporter without an endpoint would try this machine.
    readers = [PeriodicExportingMetricReader(OTLPMetricExporter())] if _goes(_METRICS) else []
    meters = MeterProvider(readers, resource=resource)
    metrics.set_meter_provider(meters)
    provider = TracerProvider(resource=resource)
    if readers:
        provider.add_span_processor(_durations(meters))
    if _goes(_TRACES):
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _trace_http()


def _goes(own: str) -> bool:
    return bool(os.environ.get(own) or os.environ.get(_ALL))


def ended(outcome: Outcome) -> None:
    """A run has ended: its duration by pipeline, strategy and outcome, and so how many there were."""
    if "opentelemetry.sdk.metrics" in sys.modules:
        labels = {"pipeline": outcome.pipeline, "strategy": _strategy(outcome), "outcome": outcome.word}
        _releases().record(outcome.seconds, labels)


def _strategy(outcome: Outcome) -> str:
    return label(outcome.strategy or "rolling", STRATEGIES)


@cache
def _releases() -> Any:
    from opentelemetry import metrics

    meter, text = metrics.get_meter("tidegate"), "How long a run took, by its outcome"
    return meter.create_histogram(
        "tidegate.release.duration", unit="s", description=text, explicit_bucket_boundaries_advisory=DURATIONS
    )


def _durations(meters: Any) -> Any:
    """What measures every span when it ends; its labels are few: kinds, systems, regions, and the names of steps."""
    from opentelemetry.sdk.trace import SpanProcessor

    seconds = meters.get_meter("tidegate").create_histogram(
        "tidegate.duration", unit="s", description="How long it took", explicit_bucket_boundaries_advisory=_BOUNDS
    )

    class Durations(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            facts = span.attributes or {}
            kind = str(facts.get("prefect.run.type") or "call")
            system = str(facts.get("tidegate.system", ""))
            good = span.status.is_ok or span.status.is_unset
            labels = {"kind": kind, "system": system, "good": good, **_place()}
            seconds.record(((span.end_time or 0) - (span.start_time or 0)) / 1e9, labels)

    return Durations()


def _place() -> dict[str, str]:
    """The region and the step in which something ends just now; empty where it is in none."""
    from prefect.context import FlowRunContext, TaskRunContext

    flow, step = FlowRunContext.get(), TaskRunContext.get()
    name = flow.flow.name if flow and flow.flow else ""
    run = flow.flow_run.name if flow and flow.flow_run else ""
    region = region_of(name, run, step.task_run.name if step else "")
    return {"region": region, "step": step.task.name if step else ""}


def _trace_http() -> None:
    """Every request of httpx is a call of the host it goes to, but for those to Prefect: they are no steps."""
    import httpx

    send = httpx.AsyncHTTPTransport.handle_async_request

    async def traced(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.url.netloc.decode() == urlsplit(os.environ.get("PREFECT_API_URL", "")).netloc:
            return await send(transport, request)
        with tracing.call(request.url.host, request.method):
            return await send(transport, request)

    httpx.AsyncHTTPTransport.handle_async_request = traced  # type: ignore[method-assign,assignment]
