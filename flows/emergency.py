"""A critical hotfix in one region: told first, backed up, rolled out, probed, and watched before the next region."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from prefect import flow, task

from config import load
from flows.judge import watch_absolute
from flows.region import bring_live
from flows.waves import InRegion
from release import hotfix_messages as told
from release.environment import Environment, Region
from release.hotfix import environment as emergency
from release.model import Artifact
from release.outcome import RegionResult
from release.verdict import Limit
from tasks import backup, notify
from tasks.say import say


def in_each(branch: str) -> InRegion:
    """What `release_waves` does in each region of a critical hotfix."""
    return partial(_in_region, branch)


@task(name="region", task_run_name="{region}")
async def _in_region(
    branch: str, region: str, environment: str, artifact: Artifact, checkout: Path, strategy: str
) -> RegionResult:
    del environment, strategy  # a critical hotfix is rolled out in place, in production
    return await emergency_region(
        region, artifact.version, artifact.digest, artifact.commit, str(checkout), branch, "critical"
    )


@flow(name="emergency", flow_run_name="{region}: v{version}")
async def emergency_region(
    region: str, version: str, digest: str, commit: str, checkout: str, branch: str, severity: str
) -> RegionResult:
    """Bring a critical hotfix live in one region and watch it. Raises Failed with the real reason."""
    environment = emergency(load.environment("production"), "critical")
    place, tag = environment.regions[region], f"v{version}"
    card = told.card(region, tag, branch, severity)
    await notify.slack("incidents", "", attachments=card, username=told.BOT, icon=told.ICON)
    await backup.request({"type": "emergency", "region": region, "version": tag}, region)
    seen: list[str] = []
    watch = partial(watch_after, environment, place, seen)
    artifact = Artifact(version, digest, commit)
    result = await bring_live(environment, region, artifact, Path(checkout), "rolling", (), then=watch)
    await notify.slack("incidents", told.region_done(result, tag, " ".join(seen)))
    return result


async def watch_after(environment: Environment, region: Region, seen: list[str]) -> None:
    """Watch a region that has just got the version; `seen` gets a sentence. Raises Failed when too many of its users'
    requests fail."""
    own = environment.hotfix
    say(f"is watched for {own.watch:.0f} s against {own.error_limit:.0%} errors", region=region.name)
    seen.append(await watch_absolute(environment, region, Limit(own.error_limit, own.alpha), own.watch))
