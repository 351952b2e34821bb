"""Counters read through a Prometheus server's query API."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from clients.metrics import ENTRY, ROUTER, SERVICE, Point, Target, sample_of
from clients.metrics_http import Asker, unusable
from release.verdict.counts import Rate, Sample

# Between two moments of the past.
STEP = 5
# Long enough for two scrapes of a minute's interval, so that a series shows its newest point.
WINDOW = "2m"
_COUNTED = f"traefik_{SERVICE}_(requests_total|request_duration_seconds_bucket)"


class PrometheusMetrics(Asker):
    """A Prometheus server, by its base address."""

    async def sample(self, target: Target) -> Sample:
        """The newest scrape's counters, with that scrape's time: a server that scrapes no more looks stale."""
        at = f"{time.time():.3f}"
        services = f'service=~"{_any(target.canary, target.stable)}"'
        queries = (
            f'{{__name__=~"{_COUNTED}",{services}{_labels(target)}}}[{WINDOW}]',
            f"traefik_{ROUTER}_requests_total{{{_router(target)}{_labels(target)}}}[{WINDOW}]",
            f'traefik_{ENTRY}_requests_total{{entrypoint="{_quoted(target.entry)}"{_labels(target)}}}[{WINDOW}]',
        )
        # A range asked for as an instant query comes with the scrapes' own times; a plain value would not.
        answers = await asyncio.gather(*(self._query(query, "matrix", at) for query in queries))
        newest = [point for answer in answers for point in _newest(answer)]
        return sample_of(newest, target, float(at))

    async def history(self, target: Target, seconds: float) -> tuple[Sample, ...]:
        """The stable version's counters every 5 s of the last `seconds`, oldest first, as far as there are any."""
        end = time.time()
        query = f'{{__name__=~"{_COUNTED}",service="{_quoted(target.stable)}"{_labels(target)}}}'
        when = {"start": f"{end - seconds:.3f}", "end": f"{end:.3f}", "step": str(STEP)}
        moments: dict[float, list[Point]] = {}
        for point in _all(await self._ask("query_range", {"query": query, **when}, "matrix")):
            moments.setdefault(point.at or end, []).append(point)
        return tuple(sample_of(points, target, at) for at, points in sorted(moments.items()))

    async def rate(self, target: Target, seconds: float) -> Rate:
        """By the server's own `increase`, at the route."""
        now = time.time()
        selector = f"{_router(target)}{_labels(target)}"
        window = f"[{max(1, round(seconds))}s]"
        series = f"traefik_{ROUTER}_requests_total"
        bad = f'{selector},code=~"{_quoted(target.errors)}"'
        queries = (f"sum(increase({series}{{{each}}}{window}))" for each in (selector, bad))
        requests, errors = [
            _single(answer)
            for answer in await asyncio.gather(*(self._query(query, "vector", f"{now:.3f}") for query in queries))
        ]
        if requests is None:
            raise unusable(f"there is nothing on {target.application} in the last {seconds:.0f} s")
        return Rate((errors or 0.0) / requests if requests else 0.0, round(requests), now)

    async def _query(self, query: str, kind: str, at: str) -> list[Mapping[str, Any]]:
        return await self._ask("query", {"query": query, "time": at}, kind)

    async def _ask(self, path: str, query: Mapping[str, str], kind: str) -> list[Mapping[str, Any]]:
        answer = await self.json(f"{self.url}/api/v1/{path}", query)
        data = answer.get("data")
        if answer.get("status") != "success" or not isinstance(data, dict) or data.get("resultType") != kind:
            raise unusable("the server did not answer the query")
        return list(data.get("result") or ())


def _newest(series: list[Mapping[str, Any]]) -> Iterator[Point]:
    return _points(series, slice(-1, None))


def _all(series: list[Mapping[str, Any]]) -> Iterator[Point]:
    return _points(series, slice(None))


def _points(series: list[Mapping[str, Any]], which: slice) -> Iterator[Point]:
    try:
        for each in series:
            labels = dict(each["metric"])
            name = labels.pop("__name__", "")
            for at, value in each["values"][which]:
                yield Point(name, labels, float(value), float(at))
    except (LookupError, TypeError, ValueError):
        raise unusable("the server's answer is not a matrix") from None


def _single(series: list[Mapping[str, Any]]) -> float | None:
    try:
        return float(series[0]["value"][1]) if series else None
    except (LookupError, TypeError, ValueError):
        raise unusable("the server's answer is not a number") from None


def _router(target: Target) -> str:
    pattern = f"{re.escape(target.router)}.*-ep-{re.escape(target.entry)}-.*"
    return f'router=~"{_quoted(pattern)}"'


def _labels(target: Target) -> str:
    return "".join(f',{name}="{_quoted(value)}"' for name, value in sorted(target.labels.items()))


def _any(*names: str) -> str:
    return _quoted("|".join(re.escape(name) for name in names))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
