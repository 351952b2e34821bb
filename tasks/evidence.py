"""What a condemned version's pods said, kept with the run: soon they are gone."""

from __future__ import annotations

import asyncio

from prefect import task
from prefect.artifacts import acreate_markdown_artifact

from config import load
from release import evidence
from release.environment import Environment, Region
from release.model import Artifact, RegionState, Slot
from release.versions import shown
from tasks import context
from tasks.command import hidden
from tasks.say import say

# Seconds for all of it: what goes back after it waits no longer.
_MOST = 3.0


def key(region: Region) -> str:
    """The artifact's name in the region's run."""
    return f"pods-{region.name}"


@task(task_run_name="{region.name}: keep what its pods said")
async def keep(
    environment: Environment, region: Region, slot: Slot, artifact: Artifact, why: str, *, within: float = _MOST
) -> bool:
    """Whether it is kept. It fails nothing, and gives up after `within` seconds."""
    try:
        async with asyncio.timeout(within):
            text = await read(environment, region, slot, artifact, why)
            if text is not None:
                await acreate_markdown_artifact(key=key(region), markdown=text, description=why[:200])
    except Exception as error:  # whatever it is: the release goes back all the same
        say(f"what its pods said is not kept: {error or type(error).__name__}", region=region.name, warn=True)
        return False
    return text is not None


async def read(environment: Environment, region: Region, slot: Slot, artifact: Artifact, why: str) -> str | None:
    """The failing pods' states and events as Markdown, without the secrets that are known here; None without pods."""
    variables = await context.variables(environment, region)
    async with context.cluster(region) as cluster:
        state: RegionState = await cluster.observe(load.settings().application.name, region.name)
        pods = evidence.failing(state.slot(slot), artifact.digest)
        events = await cluster.pod_events([pod.name for pod in pods])
    if not pods:
        return None
    return hidden(
        evidence.report(f"{region.name}: {shown(artifact.version)}", why, pods, events), variables, environment.secrets
    )
