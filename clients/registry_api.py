"""The OCI distribution API of one repository: manifests and blobs, checked by digest, errors told apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpx

from clients import oci
from clients.oci import Manifest
from clients.registry_auth import LOOPBACK, RegistryAuth
from clients.trust import authorities
from release.errors import Refused, Unavailable

_TIMEOUT = httpx.Timeout(10.0, read=60.0, write=60.0)
_REFERENCE = re.compile(r"sha256:[0-9a-f]{64}|[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)


class RegistryApi:
    """One repository of the registry at `url` (http or https, without a path); an async context manager.

    Every call raises Unavailable when the registry does not answer or answers 5xx or 429, and Refused when it
    does not accept the credentials or the request.
    """

    def __init__(
        self,
        url: str,
        repository: str,
        *,
        username: str | None,
        password: str | None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        address = httpx.URL(url)
        if address.scheme not in ("http", "https") or not address.host:
            raise Refused(f"{url!r} is not an http or https address.", field="registry.url")
        self.host = address.netloc.decode()
        self.repository = repository
        self.username = username
        self.password = password
        self._http = httpx.AsyncClient(
            base_url=address.copy_with(raw_path=b"/v2/"),
            auth=RegistryAuth(address.host, repository, username, password),
            timeout=_TIMEOUT,
            transport=transport,
            verify=authorities(),
            follow_redirects=True,
            # A proxy of the machine's settings cannot reach our loopback.
            trust_env=address.host not in LOOPBACK,
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    @property
    def image(self) -> str:
        """The repository as images are named: `host:port/name`."""
        return f"{self.host}/{self.repository}"

    async def manifest(self, reference: str) -> Manifest | None:
        """The manifest under a tag or digest, None where there is none."""
        answer = await self._send("GET", f"manifests/{_checked(reference)}", headers={"Accept": oci.ACCEPT})
        if answer is None:
            return None
        found = Manifest(oci.digest_of(answer.content), _media_type(answer), answer.content)
        if reference.startswith("sha256:") and found.digest != reference:
            raise self._corrupt("manifest", reference, found.digest)
        return found

    async def blob(self, digest: str) -> bytes:
        """The bytes of a blob; raises Unavailable when it is missing or its bytes are others."""
        answer = await self._send("GET", f"blobs/{digest}")
        if answer is None:
            raise Unavailable(
                f"{self.image} holds no blob {digest}, although a manifest names it.",
                next_step="push the image again, or restore the registry's storage",
            )
        if oci.digest_of(answer.content) != digest:
            raise self._corrupt("blob", digest, oci.digest_of(answer.content))
        return answer.content

    async def put_blob(self, body: bytes) -> str:
        """Upload the bytes unless they are there; gives their digest."""
        digest = oci.digest_of(body)
        if await self._send("HEAD", f"blobs/{digest}") is not None:
            return digest
        started = await self._send("POST", "blobs/uploads/")
        location = started.headers.get("Location") if started is not None else None
        if started is None or location is None:
            raise Unavailable(f"{self.host} named no place for an upload.", next_step="check registry.url")
        place = started.url.join(location).copy_merge_params({"digest": digest})
        await self._send("PUT", place, content=body, headers={"Content-Type": "application/octet-stream"})
        return digest

    async def put_manifest(self, reference: str, media_type: str, body: bytes) -> str:
        """Store a manifest under a tag or its digest; gives the digest under which the registry holds it."""
        await self._send("PUT", f"manifests/{_checked(reference)}", content=body, headers={"Content-Type": media_type})
        stored = await self.manifest(reference)
        digest = oci.digest_of(body)
        if stored is None or stored.digest != digest:
            held = stored.digest if stored else "nothing"
            raise Unavailable(
                f"{self.image}:{reference} names {held} right after {digest} was pushed to it.",
                next_step="see who else pushes this tag, then run this again",
            )
        return digest

    async def _send(
        self,
        method: str,
        path: str | httpx.URL,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response | None:
        """The answer, None for 404; every other answer that is no success is raised as what it means."""
        place = path if isinstance(path, httpx.URL) else f"{self.repository}/{path}"
        try:
            answer = await self._http.request(method, place, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable(
                f"The registry {self.host} did not answer: {error or type(error).__name__}.",
                next_step="check that it runs and that registry.url is its address",
            ) from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if not answer.is_success:
            raise _meaning(answer, self.image)
        return answer

    def _corrupt(self, kind: str, wanted: str, got: str) -> Unavailable:
        return Unavailable(
            f"{self.image} sent other bytes than those of the {kind} {wanted}: {got}.",
            next_step="try again; if it stays, the registry's storage is damaged: push the image again",
        )


def _checked(reference: str) -> str:
    if _REFERENCE.fullmatch(reference) is None:
        raise Refused(
            f"{reference!r} is neither a tag nor a digest of an image.",
            field="tag",
            next_step="use letters, digits, '_', '.' and '-', at most 128 of them",
        )
    return reference


def _meaning(answer: httpx.Response, image: str) -> Refused | Unavailable:
    """What an answer that is no success says to a caller."""
    status = answer.status_code
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return Refused(
            f"The registry does not let this user {_action(answer)} {image} ({status}).",
            field="registry.username/password",
            next_step="check both, and that the account may push to this repository",
        )
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
        wait = answer.headers.get("Retry-After")
        when = f"try again after {wait} s" if wait else "try again"
        return Unavailable(f"The registry answered {status} for {image}.", next_step=when)
    return Refused(
        f"The registry did not accept the request for {image}: {status} {_reason(answer)}".rstrip() + ".",
        field="registry.url",
        next_step="check that registry.url and application.image name a registry and a repository of it",
    )


def _media_type(answer: httpx.Response) -> str:
    return str(answer.headers.get("Content-Type", oci.MANIFEST)).partition(";")[0].strip()


def _action(answer: httpx.Response) -> str:
    return "read" if answer.request.method in ("GET", "HEAD") else "push to"


def _reason(answer: httpx.Response) -> str:
    """The registry's own words, as the distribution specification shapes them; empty without any."""
    try:
        errors = answer.json()["errors"]
        return "; ".join(f"{error['code']} {error.get('message', '')}".strip() for error in errors)
    except (ValueError, KeyError, TypeError):
        return ""
