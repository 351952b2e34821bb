"""Reading a region's counters while it is judged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prefect import task

from clients.metrics import Provider, Target, traefik
from clients.metrics_prometheus import PrometheusMetrics
from clients.metrics_rate import RateMetrics, weightless
from clients.metrics_text import TextMetrics
from config import load
from config.settings import Monitoring
from release import names, plan
from release.environment import Environment, Region, Strategy
from release.environment import Provider as Kind
from release.errors import Refused, TidegateError
from release.model import Slot
from release.verdict import Counts, Sample
from tasks import notify
from tasks.policy import RETRY
from tasks.say import say


@dataclass(slots=True)
class Reader:
    """A region's counters as they are now. `why` says in the provider's own words why the last reading was none."""

    source: Provider
    region: Region
    provider: Kind
    why: str = ""

    async def __call__(self, canary: Slot, stable: Slot) -> Sample | None:
        """The counters of both slots; None when the metrics do not answer, or refuse to: a proxy before them that
        says 401 or 404 says nothing of a version."""
        try:
            found = await self.source.sample(_target(self.region, self.provider, canary, stable))
        except TidegateError as error:
            self.why = error.what
            return None
        self.why = ""
        return found

    async def past(self, canary: Slot, stable: Slot, seconds: float) -> tuple[Sample, ...]:
        """The stable version's counters in the last `seconds`, oldest first; none where the source knows no past, or
        does not answer, which is said."""
        if not isinstance(self.source, PrometheusMetrics) or seconds <= 0:
            return ()
        try:
            return await self.source.history(_target(self.region, self.provider, canary, stable), seconds)
        except TidegateError as error:
            say(f"is judged without the time before: {error.what}", region=self.region.name, warn=True)
            return ()

    async def page(self, sentence: str) -> None:
        """A person is asked to look; the release goes on holding."""
        on_call = load.settings().slack.on_call
        text = f":warning: {self.region.name}: {self.told(sentence)} <!here> {on_call}"
        await notify.slack("incidents", text.rstrip())

    def told(self, sentence: str) -> str:
        """A verdict's sentence with the provider's words, where it said nothing else."""
        return f"{sentence}. {self.why}" if self.why else sentence


def require_address() -> str:
    """Where metrics are read. Raises Refused where no address is configured."""
    return plan.metrics_address(_address())


def require_judged(environment: Environment, strategy: Strategy) -> None:
    """Raises Refused, before anything is touched, for a canary that nobody could judge."""
    plan.require_judged(environment, strategy, _address())


def _address() -> str | None:
    monitoring = load.settings().monitoring
    return monitoring.metrics or monitoring.url


@asynccontextmanager
async def reader(region: Region, provider: Kind) -> AsyncIterator[Reader]:
    """Reads a region's counters. Raises Refused where no address is configured."""
    url = require_address()
    async with _source(url, region.name, provider) as source:
        yield Reader(source, region, provider)


def _source(url: str, region: str, provider: Kind) -> PrometheusMetrics | RateMetrics | TextMetrics:
    if provider == "gateway":
        return TextMetrics(url)
    url = url.replace("{region}", region)
    return PrometheusMetrics(url) if provider == "prometheus" else _rates(url)


def _rates(url: str) -> RateMetrics:
    return RateMetrics(url, requests_per_second=load.settings().monitoring.requests_per_second)


@task(task_run_name="{region.name}: errors before", **RETRY)
async def before(region: Region, provider: Kind, seconds: float) -> Counts | None:
    """The region's requests and errors in the last `seconds`; None, which is said, where nobody can tell."""
    why = f"nobody asked anything in the last {seconds:.0f} s"
    try:
        if (found := await _last(region, provider, seconds)) is not None:
            return found
    except TidegateError as error:
        why = str(error)
    say(f"is not compared with the time before: {why}", region=region.name, warn=True)
    return None


@task(task_run_name="{region.name}: what users met")
async def met(region: Region, provider: Kind, seconds: float) -> Counts | None:
    """As `before`, of a release that was taken back; asked once, for it holds up nothing."""
    try:
        return await _last(region, provider, seconds)
    except TidegateError as error:
        say(f"failing requests were not counted: {error.what}", region=region.name, warn=True)
        return None


async def _last(region: Region, provider: Kind, seconds: float) -> Counts | None:
    """None without any request. Raises Refused where nobody says of how many requests the rate is."""
    target = _target(region, provider, "green", "blue")
    async with _history(load.settings().monitoring, provider, region.name) as source:
        found = await source.rate(target, seconds)
    if found.requests is None:
        raise weightless()
    return Counts(found.requests, round(found.rate * found.requests)) if found.requests else None


def _history(monitoring: Monitoring, provider: Kind, region: str) -> PrometheusMetrics | RateMetrics:
    """What knows the past: a gateway's own counters do not."""
    url = monitoring.url if provider == "gateway" else monitoring.metrics or monitoring.url
    if url is None:
        raise Refused("there is no address to ask for the time before.", field="monitoring.url")
    url = url.replace("{region}", region)
    return PrometheusMetrics(url) if provider == "prometheus" else _rates(url)


def _target(region: Region, provider: Kind, canary: Slot, stable: Slot) -> Target:
    app = load.settings().application.name
    return traefik(
        region.name,
        app,
        region.namespace,
        names.slot_release(app, canary),
        names.slot_release(app, stable),
        entry=region.sections.get("web", "web"),
        # A gateway's own counters have no labels of ours.
        labels=region.metric_labels if provider == "prometheus" else None,
    )
