"""A region's counters as Prometheus text, under Traefik 3's names, written by Prometheus' own client library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from sandbox.gateway.counters import Levels, Meter, Series

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
COMMON = ("code", "method", "protocol")
LEVELS = {
    "entrypoint": (*COMMON, "entrypoint"),
    "router": (*COMMON, "router", "service"),
    "service": (*COMMON, "service"),
}
# When the sample was taken, in seconds since the epoch; None leaves the time to the reader, as Traefik does.
Meters = Mapping[str, tuple[Meter, float | None]]


def text(meters: Meters) -> bytes:
    """The text of all given regions (name -> counters and time of the sample); each series has a label `region`."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Regions(meters))
    return generate_latest(registry)


class _Regions(Collector):
    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def collect(self) -> Iterable[Metric]:
        for level, names in LEVELS.items():
            yield from self._level(level, ("region", *names))

    def _level(self, level: str, names: tuple[str, ...]) -> Iterator[Metric]:
        total = CounterMetricFamily(
            f"traefik_{level}_requests", f"HTTP requests processed on a {level} (simulated gateway).", labels=names
        )
        duration = HistogramMetricFamily(
            f"traefik_{level}_request_duration_seconds",
            f"How long requests took on a {level} (simulated gateway).",
            labels=names,
        )
        for region, (meter, at) in self._meters.items():
            series: Levels = getattr(meter, f"{level}s")
            for labels, one in series.items():
                total.add_metric((region, *labels), one.count, timestamp=at)
                duration.add_metric((region, *labels), _cumulative(meter, one), one.seconds, timestamp=at)
        yield total
        yield duration


def _cumulative(meter: Meter, series: Series) -> list[tuple[str, float]]:
    result, below = [], 0
    for bound, inside in zip((*map(str, meter.bounds), "+Inf"), series.buckets, strict=True):
        below += inside
        result.append((bound, float(below)))
    return result
