"""Images that no pipeline made: wrong ones under a right tag, and such whose bytes are lost."""

from __future__ import annotations

import asyncio

from desk import Desk

from clients import oci
from release import verification
from release.model import Artifact
from release.wayback import WayBack
from tasks import context


def push(tag: str, labels: dict[str, str]) -> str:
    """A tiny image with these labels under the tag; its digest."""
    return asyncio.run(_push(tag, labels))


GONE_BACK = WayBack("rehearsed", "1.4.0", back_s=1, forward_s=1, budget_s=120)


def verify(artifact: Artifact, back: WayBack = GONE_BACK) -> None:
    """Say in the registry that staging verified it and its way back, as a staging run does."""
    asyncio.run(_verify(artifact, back))


def made(desk: Desk, way_back: WayBack = GONE_BACK, says: str = "") -> Artifact:
    """A version of its own on main, with release notes, of which staging seems to have verified image and way back.

    `says` is the version that the image itself gives, where it is not the right one.
    """
    version, commit = desk.add_version()
    artifact = Artifact(version, push(f"staging-{version}", of_version(says or version, commit)), commit)
    verify(artifact, way_back)
    return artifact


def lose(digest: str) -> None:
    """The registry forgets the image's configuration; its manifest stays."""
    asyncio.run(_lose(digest))


def remove(digest: str) -> None:
    """The registry forgets the image, with every tag of it."""
    asyncio.run(_remove(digest))


def of_version(version: str, commit: str) -> dict[str, str]:
    """The labels by which an image says what it is."""
    return {"org.opencontainers.image.version": version, "org.opencontainers.image.revision": commit}


async def _push(tag: str, labels: dict[str, str]) -> str:
    inside = {"Labels": labels, "Cmd": ["python", "-m", "shop"]}
    rootfs = {"type": "layers", "diff_ids": []}
    config = oci.to_bytes({"architecture": "amd64", "os": "linux", "config": inside, "rootfs": rootfs})
    manifest = {"schemaVersion": 2, "mediaType": oci.MANIFEST, "config": oci.descriptor(oci.CONFIG, config)}
    async with await context.registry() as registry:
        await registry.put_blob(config)
        return await registry.put_manifest(tag, oci.MANIFEST, oci.to_bytes({**manifest, "layers": []}))


async def _verify(artifact: Artifact, back: WayBack) -> None:
    record = verification.record(artifact, at="2026-01-05T09:00:00Z", run="test", way_back=back)
    async with await context.registry() as registry:
        await registry.write_record(verification.tag_of(artifact.commit), artifact.digest, record)


async def _lose(digest: str) -> None:
    async with await context.registry() as registry:
        manifest = await registry.manifest(digest)
        assert manifest is not None
        config = manifest.content["config"]["digest"]
        assert await registry._send("DELETE", f"blobs/{config}") is not None


async def _remove(digest: str) -> None:
    async with await context.registry() as registry:
        assert await registry._send("DELETE", f"manifests/{digest}") is not None
