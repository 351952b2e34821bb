"""Tiny images for the tests of the registry client."""

from __future__ import annotations

from clients import oci
from clients.registry import Registry


async def push_image(registry: Registry, tag: str, labels: dict[str, str]) -> str:
    """A tiny image with these labels; gives its digest."""
    config = oci.to_bytes(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": []},
        }
    )
    await registry.put_blob(config)
    manifest = {
        "schemaVersion": 2,
        "mediaType": oci.MANIFEST,
        "config": oci.descriptor(oci.CONFIG, config),
        "layers": [],
    }
    return await registry.put_manifest(tag, oci.MANIFEST, oci.to_bytes(manifest))
