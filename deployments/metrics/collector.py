"""Plain samples as the text that Prometheus reads, by its own client library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from release.metrics import Distribution, Family


def text(families: Sequence[Family]) -> bytes:
    """The exposition of all families."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(families))
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return map(_metric, self._families)


def _metric(family: Family) -> Metric:
    text = f"{family.help}."
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(family.name, text, labels=family.labels)
        for labels, value in family.samples:
            assert isinstance(value, Distribution)
            histogram.add_metric(labels, _buckets(family.bounds, value), value.total)
        return histogram
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(family.name, text, labels=family.labels)
    for labels, value in family.samples:
        assert not isinstance(value, Distribution)
        metric.add_metric(labels, value)
    return metric


def _buckets(bounds: Sequence[float], value: Distribution) -> list[tuple[str, float]]:
    pairs = [(str(bound), float(below)) for bound, below in zip(bounds, value.below, strict=True)]
    return [*pairs, ("+Inf", float(value.count))]
