"""Reading a region's counters while it is judged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from prefect import task

from clients.metrics import Provider, Target, traefik
from clients.metrics_prometheus import PrometheusMetrics
from clients.metrics_rate import RateMetrics
from clients.metrics_text import TextMetrics
from config import load
from config.settings import Monitoring
from release import names
from release.environment import Region
from release.errors import Refused, TidegateError, Unavailable
from release.model import Slot
from release.verdict import Counts, Sample
from tasks import notify
from tasks.policy import RETRY
from tasks.say import say

# The counters of (canary slot, stable slot) as they are now; None when the metrics do not answer.
Read = Callable[[Slot, Slot], Awaitable[Sample | None]]


@asynccontextmanager
async def reader(region: Region, provider: str) -> AsyncIterator[Read]:
    """Reads a region's counters. Raises Refused where no address is configured."""
    monitoring = load.settings().monitoring
    url = monitoring.metrics or monitoring.url
    if url is None:
        raise Refused(
            "there is no address to read metrics from.",
            field="monitoring.metrics",
            next_step="Set it, or release with --strategy blue-green.",
        )
    source = PrometheusMetrics(url.replace("{region}", region.name)) if provider == "prometheus" else TextMetrics(url)
    async with source:

        async def read(canary: Slot, stable: Slot) -> Sample | None:
            return await _read(source, _target(region, provider, canary, stable))

        yield read


@task(task_run_name="{region.name}: errors before", **RETRY)
async def before(region: Region, provider: str, seconds: float) -> Counts | None:
    """The region's requests and errors in the last `seconds`; None, which is said, where nobody can tell."""
    try:
        return await _last(region, provider, seconds)
    except TidegateError as error:
        say(f"is not compared with the time before: {error}", region=region.name, warn=True)
        return None


@task(task_run_name="{region.name}: what users met")
async def met(region: Region, provider: str, seconds: float) -> Counts | None:
    """As `before`, of a release that was taken back; asked once, for it holds up nothing."""
    try:
        return await _last(region, provider, seconds)
    except TidegateError as error:
        say(f"failing requests were not counted: {error.what}", region=region.name, warn=True)
        return None


async def _last(region: Region, provider: str, seconds: float) -> Counts | None:
    target = _target(region, provider, "green", "blue")
    async with _history(load.settings().monitoring, provider, region.name) as source:
        found = await source.rate(target, seconds)
    requests = found.requests or 0
    return Counts(requests, round(found.rate * requests)) if requests else None


def _history(monitoring: Monitoring, provider: str, region: str) -> PrometheusMetrics | RateMetrics:
    """What knows the past: a gateway's own counters do not."""
    url = monitoring.url if provider == "gateway" else monitoring.metrics or monitoring.url
    if url is None:
        raise Refused("there is no address to ask for the time before.", field="monitoring.url")
    url = url.replace("{region}", region)
    return PrometheusMetrics(url) if provider == "prometheus" else RateMetrics(url)


async def _read(source: Provider, target: Target) -> Sample | None:
    try:
        return await source.sample(target)
    except Unavailable:
        return None


def _target(region: Region, provider: str, canary: Slot, stable: Slot) -> Target:
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


async def page(region: Region, sentence: str) -> None:
    """A person is asked to look; the release goes on holding."""
    on_call = load.settings().slack.on_call
    await notify.slack("incidents", f":warning: {region.name}: {sentence} <!here> {on_call}".rstrip())
