"""A run's tags on Prefect's page: what it is about, so that runs can be found by it."""

from __future__ import annotations

from contextlib import suppress

from prefect.runtime import flow_run

from release.outcome import Outcome
from release.versions import shown
from tasks import api


async def put(outcome: Outcome) -> None:
    """Pipeline, version, strategy, outcome and regions, beside the tags that the run has; nothing fails for them."""
    regions = (one.region for one in outcome.regions)
    facts = (outcome.pipeline, shown(outcome.version), outcome.strategy, outcome.word, *regions)
    tags = sorted({*flow_run.tags, *(fact for fact in facts if fact)})
    with suppress(Exception):
        async with api.client() as client:
            await client.update_flow_run(flow_run.id, tags=tags)
