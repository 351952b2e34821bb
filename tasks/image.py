"""Images: built once, promoted by digest, verified by a record in the registry."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from prefect import task
from prefect.logging import get_run_logger

from clients.builds import Build, Builder
from clients.registry import Registry
from config import load
from release import verification
from release.appfile import AppFile
from release.errors import Refused
from release.model import Artifact
from release.versions import Version
from release.wayback import WayBack
from tasks import context
from tasks.policy import PATIENT, RETRY
from tasks.say import say

# The tag that follows what staging verified: the next image of the application is like it in most of its layers.
STAGED = "staging-latest"


@task(task_run_name="build {version}", **RETRY)
async def build_and_push(
    app: AppFile,
    source: Path,
    version: str,
    commit: str,
    tags: tuple[str, ...],
    build_args: Mapping[str, str],
    *,
    cache_from: tuple[str, ...] = (),
) -> Artifact:
    """Build the image and push it under `tags`; the digest is the registry's own.

    Layers come from the engine's own cache, and from the images that `cache_from` names by tag.
    """
    settings = load.settings()
    build = Build(
        context=source / app.context,
        dockerfile=app.dockerfile,
        repository=settings.application.image,
        tags=tags,
        build_args={**settings.application.build_args, **build_args, "VERSION": version},
        labels={
            "org.opencontainers.image.version": version,
            "org.opencontainers.image.revision": commit,
            "org.opencontainers.image.source": settings.application.git,
            "org.opencontainers.image.title": settings.application.name,
        },
    )
    async with await context.registry() as registry:
        builder = _builder(registry, cache_from)
        digest = await builder.build_and_push(build, _to_log)
    say(f"built {settings.application.image}@{digest[:19]} with the {builder.name}")
    return Artifact(version, digest, commit)


def _builder(registry: Registry, cache_from: tuple[str, ...]) -> Builder:
    from clients.archive import ArchiveBuilder
    from clients.docker import EngineBuilder

    engine = load.settings().engine
    if engine.builder == "archive":
        return ArchiveBuilder(registry)
    return EngineBuilder(
        engine.host or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock", registry, cache_from=cache_from
    )


def _to_log(line: str) -> None:
    get_run_logger().info(line)


@task(task_run_name="find image {tag}", **RETRY)
async def built_before(tag: str, version: str, commit: str, *, moves: bool = False) -> Artifact | None:
    """The image that a tag already names: built once, never again. Raises Refused when it is of another commit.

    A tag that `moves` from one image to the next is of another commit or version without complaint.
    """
    async with await context.registry() as registry:
        manifest = await registry.manifest(tag)
        if manifest is None:
            return None
        labels = await registry.labels(manifest.digest)
    built_from = labels.get("org.opencontainers.image.revision", "an unknown commit")
    if moves and (built_from, labels.get("org.opencontainers.image.version")) != (commit, version):
        return None
    if built_from == commit:
        return Artifact(version, manifest.digest, commit)
    raise Refused(
        f"{tag} was already built from {built_from[:12]}, not from {commit[:12]}.",
        field="version",
        next_step="Choose a new version: one version is one image.",
    )


@task(task_run_name="mark verified", **PATIENT)
async def mark_verified(artifact: Artifact, at: str, run: str, way_back: WayBack | None = None) -> None:
    """Record in the registry that staging verified this digest for this commit, and how its way back went."""
    async with await context.registry() as registry:
        payload = verification.record(artifact, at=at, run=run, way_back=way_back)
        await registry.write_record(verification.tag_of(artifact.commit), artifact.digest, payload)


@task(task_run_name="verified digest of {commit}", **RETRY)
async def verified(version: Version, commit: str) -> Artifact:
    """The digest that staging verified. Raises Refused when it did not, or when its image is gone."""
    async with await context.registry() as registry:
        record = await registry.read_record(verification.tag_of(commit))
        artifact = verification.artifact_of(record, version, commit)
        if await registry.manifest(artifact.digest) is None:
            raise Refused(
                f"the image that staging verified ({artifact.digest[:19]}) is no longer in the registry.",
                field="tag",
                next_step=f"Stage {version.tag} again.",
            )
    return artifact


@task(task_run_name="promote to {tag}", **PATIENT)
async def promote(digest: str, tag: str, *, move: bool = False) -> None:
    """A further tag for the same bytes. Raises Refused when the tag names another image and may not move."""
    async with await context.registry() as registry:
        await registry.promote(digest, tag, move=move)


@task(task_run_name="is {digest} there", **PATIENT)
async def exists(digest: str) -> bool:
    async with await context.registry() as registry:
        return await registry.manifest(digest) is not None
