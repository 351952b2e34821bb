"""The API server for the sandbox's own set-up: manifests applied server-side, many at a time, plain data back."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterable, Mapping
from typing import Any, Self

import httpx

from release.errors import Refused, Unavailable
from sandbox.admin import Admin

Manifest = Mapping[str, Any]
_MANAGER = {"fieldManager": "tidegate-sandbox", "force": "true"}
_PLURALS = {"GatewayClass": "gatewayclasses"}
_CLUSTER_WIDE = {"Namespace", "GatewayClass", "ClusterRoleBinding"}


class Api:
    """Use it as an asynchronous context manager.

    `timeout`: seconds for each request. `context`: for a user who is known by a certificate, with an empty token.
    """

    def __init__(self, admin: Admin, timeout: float = 30.0, context: ssl.SSLContext | None = None) -> None:
        self._client = httpx.AsyncClient(
            base_url=admin.server,
            headers={"Authorization": f"Bearer {admin.token}"} if admin.token else {},
            verify=context or ssl.create_default_context(cafile=str(admin.ca_file)),
            timeout=timeout,
            limits=httpx.Limits(max_connections=16),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.aclose()

    async def apply(self, manifest: Manifest) -> dict[str, Any]:
        """Apply one manifest and take its fields over; gives the object.

        Raises Refused when the API server does not accept it, Unavailable when it does not answer.
        """
        return await self.apply_yaml(path(manifest), json.dumps(manifest).encode())

    async def apply_all(self, manifests: Iterable[Manifest]) -> None:
        """Apply them side by side."""
        await asyncio.gather(*(self.apply(manifest) for manifest in manifests))

    async def apply_yaml(self, at: str, content: bytes) -> dict[str, Any]:
        """Apply one YAML document as it is at the path `at`."""
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return await self._ask("PATCH", at, params=_MANAGER, headers=headers, content=content)

    async def get(self, at: str, **params: str) -> dict[str, Any] | None:
        """The object or list at a path, None where there is none."""
        answer = await self._answer("GET", at, params=params)
        return None if answer.status_code == httpx.codes.NOT_FOUND else _content(answer)

    async def create(self, at: str, body: Manifest) -> dict[str, Any]:
        """POST to a collection or subresource."""
        return await self._ask("POST", at, json=body)

    async def delete(self, manifest: Manifest) -> None:
        """Delete the object of that kind and name, if it is there."""
        if await self.get(path(manifest)) is not None:
            await self._ask("DELETE", path(manifest))

    async def _ask(self, method: str, at: str, **how: Any) -> dict[str, Any]:
        return _content(await self._answer(method, at, **how))

    async def _answer(self, method: str, at: str, **how: Any) -> httpx.Response:
        try:
            answer = await self._client.request(method, at, **how)
        except httpx.TransportError as error:
            raise Unavailable(f"The API server did not answer {method} {at}: {error!r}.") from error
        if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise Unavailable(f"The API server answered {answer.status_code} to {method} {at}.")
        return answer


def _content(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()
    if answer.is_error:
        # The message holds names and rules, never the content of a Secret.
        what = f"{answer.request.method} {answer.request.url.path}"
        raise Refused(f"the API server answered {answer.status_code} to {what}: {found.get('message', '')}")
    return found


def path(manifest: Manifest) -> str:
    """The path of a manifest's object."""
    version, kind, metadata = manifest["apiVersion"], manifest["kind"], manifest["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    within = "" if kind in _CLUSTER_WIDE else f"/namespaces/{metadata['namespace']}"
    return f"{root}{within}/{_PLURALS.get(kind, kind.lower() + 's')}/{metadata['name']}"
