"""Counters read directly from a gateway, as Prometheus text: no server between, and no scrape to wait for."""

from __future__ import annotations

import time
from collections import deque
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from clients.metrics import ENTRY, ROUTER, SERVICE, Point, Target, sample_of
from clients.metrics_http import Asker, unusable
from release.verdict.counts import Counts, Rate, Sample

KEPT_SECONDS = 900.0
WANTED = (
    f"traefik_{SERVICE}_requests_total",
    f"traefik_{SERVICE}_request_duration_seconds_bucket",
    f"traefik_{ROUTER}_requests_total",
    f"traefik_{ENTRY}_requests_total",
)


class TextMetrics(Asker):
    """A gateway's own metrics. `{region}` in the address is replaced; without a path, `/metrics` is asked for."""

    _remembered: deque[tuple[str, Sample]] | None = None

    async def sample(self, target: Target) -> Sample:
        """The counters as they are now; their own time where the text has it, else the time of reading."""
        url = self.url.replace("{region}", target.region)
        text = await self.text(url if urlsplit(url).path else f"{url}/metrics")
        sample = sample_of(points(text), target, time.time())
        self._remember(target, sample)
        return sample

    async def rate(self, target: Target, seconds: float) -> Rate:
        """Since the last sample that is at least `seconds` old. Raises Unavailable while there is none."""
        now = await self.sample(target)
        past = [each for name, each in self._remembered or () if name == _key(target)]
        earlier = next((each for each in reversed(past) if each.at <= now.at - seconds), None)
        if earlier is None:
            raise unusable(f"they have not been read for {seconds:.0f} s yet")
        grown = _whole(now).since(_whole(earlier))
        if not grown.possible():
            raise unusable("the counters began again")
        return Rate(grown.rate, grown.requests, now.at)

    def _remember(self, target: Target, sample: Sample) -> None:
        if self._remembered is None:
            self._remembered = deque()
        self._remembered.append((_key(target), sample))
        while self._remembered[0][1].at < sample.at - KEPT_SECONDS:
            self._remembered.popleft()


def points(text: str) -> list[Point]:
    """The series of the text that a target can need. Raises Unavailable where it is no Prometheus text."""
    # Parsing is slow and a gateway's text long, so other lines are left out before.
    lines = [line for line in text.splitlines() if line.startswith(WANTED)]
    try:
        families = text_string_to_metric_families("\n".join(lines) + "\n")
        return [
            Point(each.name, each.labels, each.value, None if each.timestamp is None else float(each.timestamp))
            for family in families
            for each in family.samples
        ]
    except ValueError:
        raise unusable("the text is not Prometheus'") from None


def _whole(sample: Sample) -> Counts:
    return sample.canary.plus(sample.stable) if sample.route is None else sample.route


def _key(target: Target) -> str:
    return f"{target.region}/{target.application}"
