"""What the node asks the registry before it starts a container: is the image there, and what does it say of itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)
_REFERENCE = re.compile(
    r"(?P<name>[a-zA-Z0-9][\w.:/-]*?)(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


class PullError(Exception):
    """The image cannot be had; `reason` is kubelet's word for it, the text its message."""

    def __init__(self, message: str, reason: str = "ErrImagePull") -> None:
        self.reason = reason
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Reference:
    """`host` (with its port), `repository`, and what is asked for: a tag or a digest."""

    host: str
    repository: str
    version: str

    @property
    def full(self) -> str:
        mark = "@" if self.version.startswith("sha256:") else ":"
        return f"{self.host}/{self.repository}{mark}{self.version}"


@dataclass(frozen=True, slots=True)
class Image:
    """An image's configuration. `id` is what kubelet reports as imageID; `command` is entrypoint and cmd."""

    id: str
    labels: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()


def parse(image: str) -> Reference:
    """`host:port/name[:tag][@digest]`, with Docker's own defaults for what is left out; raises PullError."""
    match = _REFERENCE.fullmatch(image)
    if match is None:
        raise PullError(
            f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": '
            "invalid reference format",
            "InvalidImageName",
        )
    host, slash, rest = match["name"].partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, rest = "docker.io", match["name"] if slash else f"library/{match['name']}"
    return Reference(host, rest, match["digest"] or match["tag"] or "latest")


class ImageSource:
    """The sandbox's registry as a container runtime sees it; images of other hosts cannot be pulled.

    `url` is http(s)://host:port. What was pulled by digest stays on the node, as with a real one. `transport`
    replaces the network in tests.
    """

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = 10,
    ) -> None:
        self._url = httpx.URL(url)
        auth = httpx.BasicAuth(username, password or "") if username else None
        self._client = httpx.AsyncClient(base_url=url, auth=auth, transport=transport, timeout=timeout, trust_env=False)
        self._pulled: dict[str, Image] = {}
        self._pulling: dict[str, asyncio.Task[Image]] = {}

    async def close(self) -> None:
        for task in list(self._pulling.values()):
            task.cancel()
        await self._client.aclose()

    async def image(self, name: str) -> Image:
        """The image's configuration; raises PullError with kubelet's message. Same questions at once are asked once."""
        reference = parse(name)
        pulled = self._pulled.get(reference.full)
        if pulled is not None:
            return pulled
        task = self._pulling.get(reference.full)
        if task is None:
            task = asyncio.create_task(self._pull(reference))
            self._pulling[reference.full] = task
            task.add_done_callback(lambda done: self._done(reference.full, done))
        # One pod that is deleted meanwhile must not end the pull for the others.
        return await asyncio.shield(task)

    def _done(self, name: str, task: asyncio.Task[Image]) -> None:
        self._pulling.pop(name, None)
        if not task.cancelled():
            task.exception()  # read, so that a pull nobody waits for any more is not reported as unhandled

    async def _pull(self, reference: Reference) -> Image:
        known_host = f"{self._url.host}:{self._url.port}" if self._url.port else self._url.host
        if reference.host != known_host:
            name = reference.host.split(":", maxsplit=1)[0]
            raise _failed(reference, f"failed to do request: dial tcp: lookup {name}: no such host")
        body, digest = await self._manifest(reference, reference.version)
        for child in body.get("manifests") or ():
            if (child.get("platform") or {}).get("architecture") in (None, "amd64"):
                body, _ = await self._manifest(reference, child["digest"])
                break
        answer = await self._get(reference, f"blobs/{body['config']['digest']}", {})
        image = _image(f"{reference.host}/{reference.repository}@{digest}", answer.json())
        self._pulled[image.id] = image
        return image

    async def _manifest(self, reference: Reference, version: str) -> tuple[dict[str, Any], str]:
        answer = await self._get(reference, f"manifests/{version}", {"Accept": ACCEPT})
        digest = answer.headers.get("Docker-Content-Digest", version)
        return answer.json(), digest

    async def _get(self, reference: Reference, what: str, headers: dict[str, str]) -> httpx.Response:
        path = f"/v2/{reference.repository}/{what}"
        try:
            answer = await self._client.get(path, headers=headers, follow_redirects=True)
        except httpx.HTTPError as error:
            why = "connect: connection refused" if isinstance(error, httpx.ConnectError) else "i/o timeout"
            asked = f'Get "{self._url}{path.lstrip("/")}"'
            raise _failed(reference, f"failed to do request: {asked}: dial tcp {reference.host}: {why}") from None
        if answer.status_code == 404:
            raise _failed(reference, f"{reference.full}: not found", code="NotFound")
        if not answer.is_success:
            detail = f"unexpected status from GET request to {answer.url}: {answer.status_code} {answer.reason_phrase}"
            raise _failed(reference, detail)
        return answer


def _failed(reference: Reference, detail: str, code: str = "Unknown") -> PullError:
    name = reference.full
    return PullError(
        f'rpc error: code = {code} desc = failed to pull and unpack image "{name}": '
        f'failed to resolve reference "{name}": {detail}'
    )


def _image(name: str, document: Mapping[str, Any]) -> Image:
    config = document.get("config") or {}
    env = dict(entry.partition("=")[::2] for entry in config.get("Env") or ())
    command = (*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ()))
    return Image(id=name, labels=config.get("Labels") or {}, env=env, command=command)
