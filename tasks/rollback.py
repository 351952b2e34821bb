"""What a rollback reads: the file of the version it leaves, and the image it goes to."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import yaml
from prefect import task

from clients.git import Repository
from config import load
from release import appfile, quarantine, rollback, verification
from release.appfile import AppFile
from release.environment import Region
from release.errors import Refused, TidegateError
from release.model import Artifact
from release.versions import Version
from tasks import context, source
from tasks.policy import PATIENT, RETRY

_FILE = "tidegate.yaml"


@task(task_run_name="application file of {commit}", **RETRY)
async def application_at(commit: str) -> AppFile:
    """The application's file as it is at a commit. Raises Refused when it is missing or broken.

    The mirror is asked before the git server, which may be part of what is wrong.
    """
    text = await _mirrored(commit)
    if text is None:
        text = await (await source.repository()).read(commit, _FILE)
    if text is None:
        raise Refused(
            f"the application has no {_FILE} at {commit[:12]}, so its migrations are unknown.",
            field=_FILE,
            next_step="Release the earlier version yourself, if its data allows that: `tidegate release TAG`.",
        )
    try:
        return appfile.parse(yaml.safe_load(text))
    except yaml.YAMLError:
        raise Refused("it is not valid YAML.", field=_FILE, next_step="Mend the file.") from None


async def _mirrored(commit: str) -> str | None:
    application = load.settings().application
    folder = context.work("mirrors") / f"{application.name}.git"
    if not await asyncio.to_thread((folder / "HEAD").exists):
        return None
    with suppress(TidegateError):
        return await Repository(application.git, folder).read(commit, _FILE)
    return None


@task(task_run_name="{region.name}: forget what was taken back", **PATIENT)
async def forget_bad(region: Region) -> None:
    """What a rollback to a named version replaced is nothing to go back to."""
    app = load.settings().application.name
    async with context.cluster(region) as cluster:
        route = (await cluster.observe(app, region.name)).route
        if route is not None and route.live is not None:
            await cluster.record(app, route.live, None, route.retire)


@task(task_run_name="image of {version.tag}", **RETRY)
async def released(version: Version) -> Artifact:
    """What the registry's release tag names. Raises Refused as `release.rollback.artifact`."""
    async with await context.registry() as registry:
        manifest = await registry.manifest(version.tag)
        if manifest is None:
            return rollback.artifact(version, None, {}, None)
        labels = await registry.labels(manifest.digest)
        commit = labels.get("org.opencontainers.image.revision", "")
        record = await registry.read_record(verification.tag_of(commit)) if commit else None
        held = await registry.read_record(quarantine.tag_of(manifest.digest))
        quarantine.require_free(quarantine.from_record(held))
        return rollback.artifact(version, manifest.digest, labels, record)
