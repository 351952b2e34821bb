"""A repository in an OCI registry: promotion by digest, image labels, and records about images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from clients import oci
from clients.oci import Manifest
from clients.registry_api import RegistryApi
from release.errors import Refused

__all__ = ["Manifest", "Registry"]
_PAGE = 1000


class Registry(RegistryApi):
    """What Tidegate asks of the repository that holds an application's images; errors as in RegistryApi."""

    async def promote(self, digest: str, tag: str, *, move: bool = False) -> None:
        """Give the image `digest` a further tag: the same bytes, nothing rebuilt.

        Raises Refused when the image is not there, or when the tag names another image and `move` is False.
        """
        present = await self.manifest(tag)
        if present is not None and present.digest == digest:
            return
        if present is not None and not move:
            raise Refused(
                f"The tag {tag} of {self.image} already names {present.digest}, not {digest}.",
                field="tag",
                next_step="release under a new version; a released tag is never moved",
            )
        image = await self._existing(digest)
        await self.put_manifest(tag, image.media_type, image.body)

    async def tags(self, prefix: str = "") -> tuple[str, ...]:
        """The repository's tags that begin so, sorted; none where the registry has no such repository."""
        found: list[str] = []
        path: str | httpx.URL | None = f"{self.repository}/tags/list?n={_PAGE}"
        while path is not None:
            answer = await self._send("GET", httpx.URL(path) if isinstance(path, str) else path)
            if answer is None:
                break
            found += oci.parse(answer.content, f"The list of tags of {self.image}").get("tags") or ()
            further = answer.links.get("next", {}).get("url")
            path = answer.url.join(further) if further else None
        return tuple(sorted(tag for tag in found if tag.startswith(prefix)))

    async def may_push(self) -> None:
        """Raises Refused where this account may not push: an upload is begun, and given up at once."""
        started = await self._send("POST", "blobs/uploads/")
        place = started.headers.get("Location") if started is not None else None
        if started is not None and place is not None:
            await self._http.delete(started.url.join(place))

    async def labels(self, digest: str) -> Mapping[str, str]:
        """The image's labels; of an index, those of its linux/amd64 image."""
        image = await self._existing(digest)
        if image.is_index:
            child = oci.platform_digest(image.content)
            image = await self._existing(child) if child else image
        config = image.content.get("config")
        if not isinstance(config, dict) or "digest" not in config:
            return {}
        content = oci.parse(await self.blob(str(config["digest"])), f"The configuration of {digest}")
        return dict((content.get("config") or {}).get("Labels") or {})

    async def write_record(self, tag: str, subject: str, payload: Mapping[str, Any]) -> str:
        """Store `payload` under `tag` as a record about the image `subject` (a digest); gives the record's digest.

        A record under the same tag is replaced. Raises Refused when the image is not there.
        """
        image = await self._existing(subject)
        body = oci.to_bytes(payload)
        await self.put_blob(oci.EMPTY_BODY)
        await self.put_blob(body)
        return await self.put_manifest(tag, oci.MANIFEST, oci.record_manifest(image, body))

    async def read_record(self, tag: str) -> Mapping[str, Any] | None:
        """The payload of the record under `tag`, None where there is none; Refused when it is no record."""
        manifest = await self.manifest(tag)
        if manifest is None:
            return None
        layers: Sequence[Mapping[str, Any]] = manifest.content.get("layers") or ()
        if manifest.content.get("artifactType") != oci.RECORD or len(layers) != 1:
            raise Refused(
                f"{self.image}:{tag} is not a record of Tidegate.",
                field="tag",
                next_step="see what pushed it; Tidegate writes its records under this name",
            )
        return oci.parse(await self.blob(str(layers[0]["digest"])), f"The record {tag}")

    async def _existing(self, digest: str) -> Manifest:
        image = await self.manifest(digest)
        if image is None:
            raise Refused(f"{self.image} holds no image {digest}.", field="digest", next_step="build and push it again")
        return image
