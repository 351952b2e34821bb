"""A span around each call of an outside system, where a run is traced; nothing at all where it is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Loaded by `tasks.telemetry` and by nobody else.
_SDK = "opentelemetry.sdk.trace"


@contextmanager
def call(system: str, operation: str) -> Iterator[None]:
    """`system` is what is called (`kubernetes`, `git`, a host), `operation` what is asked of it, without paths,
    queries and arguments: those may hold secrets, and names must stay few."""
    if _SDK not in sys.modules:
        yield
        return
    from opentelemetry import trace

    tracer = trace.get_tracer("tidegate")
    facts = {"tidegate.system": system, "tidegate.operation": operation}
    kind = trace.SpanKind.CLIENT
    with tracer.start_as_current_span(f"{system} {operation}", kind=kind, attributes=facts, record_exception=False):
        yield
