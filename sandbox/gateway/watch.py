"""A copy of one kind of object that follows the API server, through expired watches and restarts."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import client

log = logging.getLogger(__name__)

Object = dict[str, Any]
Key = tuple[str, str]
PAUSES = (0.05, 0.1, 0.25, 0.5, 1.0)
EXPIRES = 240
TIMEOUT = aiohttp.ClientTimeout(total=EXPIRES + 30, sock_connect=3)


class Expired(Exception):
    """The version is too old to watch from: list again."""


class Reflector:
    """`objects` by (namespace, name). `changed(key)` is called after each change; `synced` is set by the first list.

    While the API server is away the last state stays.
    """

    def __init__(self, api: client.ApiClient, path: str, changed: Callable[[Key], None]) -> None:
        self.objects: dict[Key, Object] = {}
        self.synced = asyncio.Event()
        self._api, self._path, self._changed = api, path, changed

    async def run(self) -> None:
        """Follow until cancelled."""
        failures, version = 0, ""
        while True:
            try:
                version = version or await self._list()
                failures = 0
                version = await self._watch(version)
            except Expired:
                version = ""
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError, client.ApiException) as error:
                if not failures:
                    log.info("%s: the API server does not answer (%s); the last state stays", self._path, error)
                version = ""
                await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1

    async def _list(self) -> str:
        response = await self._get({})
        body = json.loads(await response.read())
        found = {_key(item): item for item in body.get("items", ())}
        gone = [key for key in self.objects if key not in found]
        for key in gone:
            del self.objects[key]
            self._changed(key)
        for key, item in found.items():
            self._put(key, item)
        self.synced.set()
        return str(body["metadata"]["resourceVersion"])

    async def _watch(self, version: str) -> str:
        """Until the server ends the watch; the newest version seen."""
        query = {"watch": "1", "resourceVersion": version, "allowWatchBookmarks": "1", "timeoutSeconds": EXPIRES}
        response = await self._get(query)
        async with response:
            async for event in _events(response):
                version = self._take(event)
        return version

    async def _get(self, query: Mapping[str, object]) -> aiohttp.ClientResponse:
        target = await self._api.param_serialize(
            "GET",
            f"{self._path}?{urlencode(query)}",
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        answer = await self._api.call_api(*target, _request_timeout=TIMEOUT)
        response: aiohttp.ClientResponse = answer.response
        if response.status == 410:
            response.release()
            raise Expired
        if response.status >= 400:
            response.release()
            raise client.ApiException(status=response.status, reason=response.reason)
        return response

    def _take(self, event: Object) -> str:
        item, kind = event["object"], event["type"]
        if kind == "ERROR":
            raise Expired
        if kind == "DELETED":
            if self.objects.pop(_key(item), None) is not None:
                self._changed(_key(item))
        elif kind != "BOOKMARK":
            self._put(_key(item), item)
        return str(item["metadata"]["resourceVersion"])

    def _put(self, key: Key, item: Object) -> None:
        known = self.objects.get(key)
        self.objects[key] = item
        if known is None or known["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
            self._changed(key)


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Object]:
    """The objects of a stream of JSON lines, of any length."""
    rest = b""
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _key(item: Object) -> Key:
    meta = item["metadata"]
    return meta.get("namespace", ""), meta.get("name", "")
