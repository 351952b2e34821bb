"""An OTLP endpoint on loopback that keeps the spans and metrics it is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """What came in; of each metric also the labels of its points. `url` is the endpoint."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.metrics: set[str] = set()
        self.points: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    def take(self, path: str, body: bytes) -> None:
        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    self.spans.extend(scope.spans)
        else:
            for found in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for metric in [one for scope in found.scope_metrics for one in scope.metrics]:
                    self.metrics.add(metric.name)
                    for point in metric.histogram.data_points:
                        self.points.append((metric.name, {one.key: one.value.string_value for one in point.attributes}))

    def path(self, span: Span) -> list[str]:
        """The names from the trace's root to the span."""
        by_id = {one.span_id: one for one in self.spans}
        names = [span.name]
        while (parent := by_id.get(span.parent_span_id)) is not None:
            span = parent
            names.append(span.name)
        return list(reversed(names))


@contextmanager
def collecting() -> Iterator[Collector]:
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.take(self.path, _plain(body, self.headers.get("Content-Encoding", "")))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        serving.join(5)


def _plain(body: bytes, encoding: str) -> bytes:
    import gzip
    import zlib

    return gzip.decompress(body) if encoding == "gzip" else zlib.decompress(body) if encoding == "deflate" else body
