"""One connection to one API server: requests as plain data, refusals as Tidegate's errors.

The official client's models are left out: reading ten pods into them costs more than the request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
from kubernetes.aio import client, config

from clients import kube_errors, kubeconfig, tracing
from release.errors import Refused

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
# Labels and annotations without the objects: Helm's records are large, and nobody needs to read their secrets.
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is the decoded JSON; `now` the API server's time, in seconds since the epoch (whole seconds)."""

    body: dict[str, Any]
    now: float


class Kube:
    """`async with Kube(kubeconfig, context)`; `timeout` in seconds bounds each request."""

    def __init__(self, kubeconfig: Path, context: str, *, timeout: float = 10.0) -> None:
        self.context = context
        self._kubeconfig = kubeconfig
        self._timeout = timeout
        self._client: client.ApiClient | None = None

    async def __aenter__(self) -> Self:
        found = await asyncio.to_thread(kubeconfig.read, self._kubeconfig)
        try:
            self._client = await config.new_client_from_config_dict(found, self.context)
        except (config.ConfigException, OSError, ValueError) as error:
            raise Refused(
                f"Context {self.context} cannot be used: {error}",
                field="context",
                next_step=f"See `kubectl --kubeconfig {self._kubeconfig} config get-contexts`.",
            ) from error
        self._client.user_agent = "tidegate"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | Sequence[Any] | None = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> Answer:
        """One request, tried once. Raises Unavailable, Refused, and of it Conflict (409) and Missing (404)."""
        assert self._client is not None, "use it as a context manager"
        headers = {"Accept": accept, "User-Agent": "tidegate"}
        if body is not None:
            headers["Content-Type"] = content_type
        request = await self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            with tracing.call("kubernetes", method):
                response = await self._client.call_api(
                    *request, _request_timeout=aiohttp.ClientTimeout(total=self._timeout)
                )
                raw = await response.read()
        except TimeoutError as error:
            raise kube_errors.no_answer(self.context, f"nothing within {self._timeout:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise kube_errors.no_answer(self.context, _reason(error)) from error
        data = _decoded(raw)
        if response.status >= 400:
            raise kube_errors.from_status(self.context, response.status, data or {})
        now = _server_time(response.headers.get("Date"))
        if data is None or now is None:
            raise kube_errors.no_answer(self.context, "what came is not an API server's answer")
        return Answer(data, now)

    async def find(self, path: str) -> Answer | None:
        """GET one object; None when it is not there."""
        try:
            return await self.send("GET", path)
        except kube_errors.Missing:
            return None

    async def items(self, path: str, selector: str, *, accept: str = JSON) -> tuple[list[dict[str, Any]], float]:
        """The objects of a collection with these labels, and the API server's time."""
        answer = await self.send("GET", path, query={"labelSelector": selector}, accept=accept)
        return list(answer.body.get("items") or ()), answer.now


def root(version: str) -> str:
    """Where the API server has an apiVersion: `/api/v1`, `/apis/apps/v1`."""
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _decoded(raw: bytes) -> dict[str, Any] | None:
    """None for what is not a JSON object, such as a page of a proxy in between."""
    try:
        data = orjson.loads(raw)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _server_time(date: str | None) -> float | None:
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
