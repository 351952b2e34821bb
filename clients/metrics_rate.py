"""The error rate as JSON: `GET /api/error-rate?service=&region=&duration=` -> `{"rate": x}`.

It tells nothing of one version beside another, so it serves absolute limits only.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

from clients.metrics import Target
from clients.metrics_http import Asker, unusable
from release.errors import Refused
from release.verdict.counts import Counts, Rate, Sample


@dataclass(slots=True)
class _Seen:
    asked: float
    sample: Sample


class RateMetrics(Asker):
    """The endpoint below a base address.

    A rate alone has no weight: one error in two requests is 50 % too. Where the answer has no `requests`,
    `requests_per_second` is taken, which should then be given, and rather too low than too high.
    """

    def __init__(
        self,
        url: str,
        *,
        requests_per_second: float | None = None,
        token: str | None = None,
        timeout: float = 5.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(url, token=token, timeout=timeout, transport=transport)
        self._requests_per_second = requests_per_second
        self._seen: dict[tuple[str, str], _Seen] = {}

    async def sample(self, target: Target) -> Sample:
        """The rates since the last call, summed up as if they were the route's counters; zero at the first call."""
        key, now = (target.region, target.application), time.time()
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = _Seen(now, Sample(now, Counts(), Counts(), Counts()))
            return seen.sample
        if now - seen.asked < 1:
            return seen.sample
        seconds = int(now - seen.asked)
        rate = await self.rate(target, seconds)
        if rate.requests is None:
            raise weightless()
        more = Counts(rate.requests, round(rate.requests * rate.rate))
        seen.asked = now
        seen.sample = Sample(rate.at, Counts(), Counts(), (seen.sample.route or Counts()).plus(more))
        return seen.sample

    async def rate(self, target: Target, seconds: float) -> Rate:
        """As the endpoint says. Raises Unavailable where it says no number between 0 and 1."""
        query = {"service": target.application, "region": target.region, "duration": f"{max(1, round(seconds))}s"}
        answer = await self.json(f"{self.url}/api/error-rate", query)
        rate, requests, at = _number(answer.get("rate")), _number(answer.get("requests")), _number(answer.get("at"))
        if rate is None or not 0 <= rate <= 1:
            raise unusable("its answer holds no `rate` between 0 and 1")
        if requests is None and self._requests_per_second is not None:
            requests = self._requests_per_second * seconds
        return Rate(rate, None if requests is None else round(requests), time.time() if at is None else at)


def weightless() -> Refused:
    """A rate without its requests, where the settings do not say how many they are either."""
    return Refused(
        "The error-rate endpoint does not say of how many requests its rate is.",
        field="monitoring.requests_per_second",
        next_step="Give the application's usual requests a second, rather too few than too many.",
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
