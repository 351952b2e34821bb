"""One watch on all pods that does not lose any: it lists, watches on from there, and lists again after any doubt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from urllib.parse import urlencode

from sandbox.node.api import Api, Away, Json

log = logging.getLogger("tidegate.sandbox.node")

_EVERY = 60
_PAGE = 500


class _Expired(Exception):
    """The version to watch on from is too old: list again."""


async def follow(api: Api, path: str, on_object: Callable[[Json], None], on_gone: Callable[[str], None]) -> None:
    """Calls `on_object` for each object that is new or changed, and `on_gone` with the uid of each that is gone.

    Runs until it is cancelled; an API server that is away is waited for.
    """
    known: set[str] = set()
    pause = 0.05
    while True:
        try:
            version = await _list(api, path, known, on_object, on_gone)
            pause = 0.05
            while True:
                version = await _watch(api, path, version, known, on_object, on_gone)
        except _Expired:
            continue
        except Away as away:
            log.debug("watching pods: %s", away)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)
        except Exception:
            # A fault of ours on one object must not end the watch for all the others.
            log.exception("the simulated node failed on what it saw and lists the pods again")
            await asyncio.sleep(1)


async def _list(
    api: Api, path: str, known: set[str], on_object: Callable[[Json], None], on_gone: Callable[[str], None]
) -> str:
    seen: set[str] = set()
    query = {"limit": str(_PAGE)}
    while True:
        status, page = await api.call("GET", f"{path}?{urlencode(query)}")
        if status != 200:
            raise Away(f"{status} on {path}")
        for item in page["items"]:
            seen.add(item["metadata"]["uid"])
            on_object(item)
        token = page["metadata"].get("continue")
        if not token:
            break
        query["continue"] = token
    for uid in known - seen:
        on_gone(uid)
    known.clear()
    known.update(seen)
    return str(page["metadata"]["resourceVersion"])


async def _watch(
    api: Api,
    path: str,
    version: str,
    known: set[str],
    on_object: Callable[[Json], None],
    on_gone: Callable[[str], None],
) -> str:
    """Follows one watch to its end; the version to go on from. A watch that breaks raises Away: then list."""
    query = {"watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true", "timeoutSeconds": str(_EVERY)}
    async for event in api.watch(f"{path}?{urlencode(query)}"):
        kind, item = event["type"], event["object"]
        if kind == "ERROR":
            raise _Expired
        version = item["metadata"]["resourceVersion"]
        if kind == "DELETED":
            known.discard(item["metadata"]["uid"])
            on_gone(item["metadata"]["uid"])
        elif kind != "BOOKMARK":
            known.add(item["metadata"]["uid"])
            on_object(item)
    return version
