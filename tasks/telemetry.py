"""OpenTelemetry, where an OTLP endpoint is set: a trace a run, and the durations of its steps and outside calls.

Prefect's engine makes the spans of runs, regions and steps; `clients.tracing` those of outside calls. Where no endpoint
is set, nothing of the SDK is loaded.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from clients import tracing
from release.errors import Refused

if TYPE_CHECKING:
    import httpx
    from opentelemetry.sdk.trace import ReadableSpan

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
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
    meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource)
    metrics.set_meter_provider(meters)
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(_durations(meters))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _trace_http()


def _durations(meters: Any) -> Any:
    """What measures every span when it ends; its labels are few: kinds of steps, and systems."""
    from opentelemetry.sdk.trace import SpanProcessor

    seconds = meters.get_meter("tidegate").create_histogram(
        "tidegate.duration", unit="s", description="How long it took", explicit_bucket_boundaries_advisory=_BOUNDS
    )

    class Durations(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            facts = span.attributes or {}
            kind = str(facts.get("prefect.run.type") or "call")
            system = str(facts.get("tidegate.system", ""))
            labels = {"kind": kind, "system": system, "good": span.status.is_ok or span.status.is_unset}
            seconds.record(((span.end_time or 0) - (span.start_time or 0)) / 1e9, labels)

    return Durations()


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
