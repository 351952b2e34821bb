"""What registries store: media types, descriptors and manifests, as the OCI image specification 1.1 names them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from release.errors import Unavailable

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
RECORD = "application/vnd.tidegate.record.v1+json"

# Without all of them a registry may answer with a schema 1 manifest, whose digest is another one.
ACCEPT = ", ".join((MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_LIST))
EMPTY_BODY = b"{}"


def digest_of(body: bytes) -> str:
    """`sha256:<64 hex>` of the bytes."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def to_bytes(value: Mapping[str, Any]) -> bytes:
    """JSON with one spelling for one value, so that equal values have equal digests."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def descriptor(media_type: str, body: bytes) -> dict[str, Any]:
    """How a manifest refers to the bytes."""
    return {"mediaType": media_type, "digest": digest_of(body), "size": len(body)}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as the registry sent it; `body` is byte for byte what `digest` is the digest of."""

    digest: str
    media_type: str
    body: bytes

    @property
    def content(self) -> Mapping[str, Any]:
        """The parsed body. Raises Unavailable when it is no JSON object."""
        return parse(self.body, f"The manifest {self.digest}")

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests of several platforms instead of layers."""
        return self.media_type in (INDEX, DOCKER_LIST)

    @property
    def descriptor(self) -> dict[str, Any]:
        return descriptor(self.media_type, self.body)


def parse(body: bytes, what: str) -> Mapping[str, Any]:
    """The JSON object in `body`; raises Unavailable, naming `what`, for anything else."""
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Unavailable(
            f"{what} is not a JSON object.", next_step="check that registry.url is a registry and not a proxy's page"
        )
    return content


def record_manifest(subject: Manifest, payload: bytes) -> bytes:
    """The manifest of a record about `subject`: one JSON layer, an empty configuration."""
    return to_bytes(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": RECORD,
            "config": descriptor(EMPTY, EMPTY_BODY),
            "layers": [descriptor(RECORD, payload)],
            "subject": subject.descriptor,
        }
    )


def platform_digest(index: Mapping[str, Any], architecture: str = "amd64") -> str | None:
    """The digest of the Linux image for `architecture` in an index, else of its first image; None without any.

    Entries of platform unknown/unknown are attestations that build tools put beside the images.
    """
    entries = [entry for entry in index.get("manifests", ()) if _platform(entry) != ("unknown", "unknown")]
    wanted = [entry for entry in entries if _platform(entry) == ("linux", architecture)]
    return next((str(entry["digest"]) for entry in (*wanted, *entries)), None)


def _platform(entry: Mapping[str, Any]) -> tuple[str, str]:
    platform = entry.get("platform") or {}
    return str(platform.get("os", "")), str(platform.get("architecture", ""))
