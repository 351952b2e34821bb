"""Reads the API server for the page: four lists at most once a second, and only while somebody looks."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from typing import Any

import httpx

from release import names
from sandbox.admin import Admin
from sandbox.overlay import RegionAddress
from sandbox.page import picture

_AGE_S = 0.5
_LISTS = (
    f"/apis/apps/v1/deployments?labelSelector={names.SLOT_LABEL}",
    f"/api/v1/services?labelSelector={names.MANAGED_LABEL}={names.FIELD_MANAGER},!{names.SLOT_LABEL}",
    "/apis/gateway.networking.k8s.io/v1/httproutes",
    f"/api/v1/pods?labelSelector={names.SLOT_LABEL}",
)


class Observer:
    """The regions as the page shows them."""

    def __init__(self, admin: Admin, addresses: Sequence[RegionAddress]) -> None:
        self._addresses = addresses
        self._http = httpx.AsyncClient(
            base_url=admin.server,
            headers={"Authorization": f"Bearer {admin.token}"},
            verify=ssl.create_default_context(cafile=str(admin.ca_file)),
            trust_env=False,
            timeout=5,
        )
        self._seen: list[dict[str, Any]] = []
        self._at = 0.0
        self._reading = asyncio.Lock()

    async def regions(self) -> list[dict[str, Any]]:
        """At most half a second old; the last ones while the API server does not answer."""
        async with self._reading:
            if time.monotonic() - self._at > _AGE_S:
                try:
                    deployments, services, routes, pods = await asyncio.gather(*map(self._list, _LISTS))
                except httpx.HTTPError:
                    return self._seen
                self._seen = picture.regions(self._addresses, deployments, [*services, *routes], pods)
                self._at = time.monotonic()
        return self._seen

    async def close(self) -> None:
        await self._http.aclose()

    async def _list(self, path: str) -> list[dict[str, Any]]:
        answer = await self._http.get(path)
        answer.raise_for_status()
        items: list[dict[str, Any]] = answer.json()["items"]
        return items
