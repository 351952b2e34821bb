"""A critical hotfix in one region: told first, backed up, rolled out, probed, and watched before the next region."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from prefect import flow, task

from config import load
from flows.common import apart, result_of, wanted
from flows.far import Errand, send
from flows.limit import watch_absolute
from flows.region import bring_live
from flows.waves import InRegion
from release import hotfix
from release import hotfix_messages as told
from release.environment import Environment, Region
from release.model import Artifact
from release.outcome import RegionResult
from release.verdict import Counts
from tasks import backup, metrics, notify
from tasks.say import say


def in_each(branch: str) -> InRegion:
    """What `release_waves` does in each region of a critical hotfix."""

    async def each(region: str, environment: str, artifact: Artifact, checkout: Path, strategy: str) -> RegionResult:
        where = load.environment(environment)
        if where.dispatch == "regional":
            config = wanted(where, artifact, "rolling").config
            return await send(Errand("emergency", where, region, artifact, config=config, branch=branch))
        return await result_of(_in_region(branch, region, environment, artifact, checkout, strategy))

    return each


@task(name="region", task_run_name="{region}")
async def _in_region(
    branch: str, region: str, environment: str, artifact: Artifact, checkout: Path, strategy: str
) -> RegionResult:
    del environment, strategy  # a critical hotfix is rolled out in place, in production
    facts = (artifact.version, artifact.digest, artifact.commit, str(checkout))
    return await apart(emergency_region(region, *facts, branch, "critical"))


@flow(name="emergency", flow_run_name="{region}: v{version}")
async def emergency_region(
    region: str, version: str, digest: str, commit: str, checkout: str, branch: str, severity: str
) -> RegionResult:
    """Bring a critical hotfix live in one region and watch it. Raises Failed with the real reason."""
    environment = hotfix.environment(load.environment("production"), "critical")
    place, tag = environment.regions[region], f"v{version}"
    card = told.card(region, tag, branch, severity)
    await notify.slack("incidents", "", attachments=card, username=told.BOT, icon=told.ICON)
    await backup.request({"type": "emergency", "region": region, "version": tag}, region)
    before = await metrics.before(place, environment.judged.provider, environment.hotfix.before)
    seen: list[str] = []
    watch = partial(watch_after, environment, place, before, seen)
    artifact = Artifact(version, digest, commit)
    result = await bring_live(environment, region, artifact, Path(checkout), "rolling", (), then=watch)
    await notify.slack("incidents", told.region_done(result, tag, " ".join(seen)))
    return result


async def watch_after(environment: Environment, region: Region, before: Counts | None, seen: list[str]) -> None:
    """Watch a region that has just got the version; `seen` gets a sentence. Raises Failed when too many of its users'
    requests fail, or more than failed `before`."""
    limits, seconds = hotfix.limits(environment.hotfix, before), environment.hotfix.watch
    told = ", ".join(f"{limit.rate:.1%} errors ({limit.name})" for limit in limits)
    say(f"is watched for {seconds:.0f} s against {told}", region=region.name)
    found = await watch_absolute(environment, region, limits, seconds)
    seen.append(found if before is not None else f"{found}. It was not compared with the time before.")
