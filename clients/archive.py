"""The stand-in for a Docker Engine where none can be had: packs the context as an image, runs nothing."""

from __future__ import annotations

import asyncio
import gzip

from clients import context, dockerfile, oci
from clients.builds import Build, OnLine, check
from clients.registry import Registry

_PLACE = "app/"


class ArchiveBuilder:
    """Pushes a real OCI image of one layer: the context under /app, with the Dockerfile's labels.

    No instruction of the Dockerfile runs, and the base image is not in it. The same files and labels give the
    same digest.
    """

    name = "stand-in without a Docker Engine"

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def build_and_push(self, build: Build, on_line: OnLine) -> str:
        """See clients.builds.Builder."""
        check(build, self._registry.image)
        on_line("No Docker Engine: this stand-in packs the build context and runs nothing of the Dockerfile.")
        config, layer = await asyncio.to_thread(_image, build)
        manifest = oci.to_bytes(
            {
                "schemaVersion": 2,
                "mediaType": oci.MANIFEST,
                "config": oci.descriptor(oci.CONFIG, config),
                "layers": [oci.descriptor(oci.LAYER, layer)],
            }
        )
        on_line(f"Packed {build.context.name or build.context} into a layer of {len(layer)} bytes.")
        await self._registry.put_blob(layer)
        await self._registry.put_blob(config)
        for tag in build.tags:
            await self._registry.put_manifest(tag, oci.MANIFEST, manifest)
            on_line(f"{tag}: digest: {oci.digest_of(manifest)}")
        return oci.digest_of(manifest)


def _image(build: Build) -> tuple[bytes, bytes]:
    """The image's configuration and its one layer."""
    text = context.dockerfile_in(build.context, build.dockerfile)
    labels = {**dockerfile.labels(text, build.build_args), **build.labels}
    archive = context.pack(build.context, build.dockerfile, prefix=_PLACE)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": labels, "WorkingDir": "/app"},
        "rootfs": {"type": "layers", "diff_ids": [oci.digest_of(archive)]},
    }
    return oci.to_bytes(config), gzip.compress(archive, mtime=0)
