"""Apply Gateway API's CRDs and wait until the API serves them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.admin import Admin
from sandbox.api import Api

_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_POLL = 0.05


async def apply_crds(admin: Admin, files: Sequence[Path], *, replace: bool = True, timeout: float = 30.0) -> None:
    """Apply one CRD a file, server-side; the files are sent as they are, and named GROUP_PLURAL.yaml.

    Without `replace`, a CRD that is there already stays as it is: for a cluster that is not the sandbox's own.
    Raises Refused or Unavailable as the API server does, TimeoutError when one is not served in time (seconds).
    """
    async with Api(admin, timeout) as api, asyncio.timeout(timeout):
        await asyncio.gather(*(_apply(api, file.stem, file.read_bytes(), replace) for file in files))


async def _apply(api: Api, name: str, content: bytes, replace: bool) -> None:
    group, _, plural = name.rpartition("_")
    path = f"{_PATH}/{plural}.{group}"
    found = None if replace else await api.get(path)
    found = found or await api.apply_yaml(path, content)
    while not _established(found):
        await asyncio.sleep(_POLL)
        found = await api.get(path) or {}


def _established(crd: Mapping[str, Any]) -> bool:
    conditions = crd.get("status", {}).get("conditions") or []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
