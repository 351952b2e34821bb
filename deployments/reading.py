"""What operators' commands read of the outside systems: each one question, and no run on the Prefect server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import yaml

from clients.git import Repository
from clients.registry import Registry
from config import load
from release import appfile
from release.appfile import AppFile
from release.environment import Region
from release.errors import Refused
from release.model import RegionState
from tasks import context
from tasks.mirror import opened as mirror

__all__ = ["mirror"]


async def states(regions: Sequence[Region]) -> list[RegionState]:
    async def one(region: Region) -> RegionState:
        async with context.cluster(region) as cluster:
            return await cluster.observe(load.settings().application.name, region.name)

    return list(await asyncio.gather(*(one(region) for region in regions)))


async def body(tag: str) -> str | None:
    client = await context.github()
    if client is None:
        return None
    async with client as github:
        found = await github.release(tag)
    return None if found is None else found.body


async def application(mirror: Repository, commit: str) -> AppFile:
    text = await mirror.read(commit, "tidegate.yaml")
    try:
        return appfile.parse(yaml.safe_load(text or ""))
    except yaml.YAMLError:
        raise Refused("it is not valid YAML.", field="tidegate.yaml", next_step="Mend the file.") from None


async def chart(mirror: Repository, commit: str) -> Path | None:
    """The application's own chart, checked out; None where Tidegate's is used."""
    if load.settings().application.chart is None:
        return None
    return context.chart(await mirror.checkout(commit, context.work("plans") / f"source-{commit[:12]}"))


async def there(registry: Registry, digests: Sequence[str]) -> frozenset[str]:
    return frozenset([digest for digest in dict.fromkeys(digests) if await registry.manifest(digest) is not None])
