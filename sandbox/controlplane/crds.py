"""Apply Gateway API's CRDs and wait until the API serves them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

import httpx

from release.errors import Unavailable
from sandbox.admin import Admin

_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_POLL = 0.05


async def apply_crds(admin: Admin, files: Sequence[Path], timeout: float = 30.0) -> None:
    """Apply one CRD a file, server-side; the files are sent as they are.

    Raises Unavailable when the API server does not take one or does not serve it within `timeout` seconds.
    """
    context = ssl.create_default_context(cafile=str(admin.ca_file))
    headers = {"Authorization": f"Bearer {admin.token}"}
    async with (
        httpx.AsyncClient(
            base_url=admin.server, headers=headers, verify=context, timeout=timeout, trust_env=False
        ) as client,
        asyncio.timeout(timeout),
    ):
        await asyncio.gather(*(_apply(client, file.stem, file.read_bytes()) for file in files))


async def _apply(client: httpx.AsyncClient, name: str, content: bytes) -> None:
    # Named by Gateway API as GROUP_PLURAL.
    group, _, plural = name.rpartition("_")
    path = f"{_PATH}/{plural}.{group}"
    answer = await client.patch(
        path,
        params={"fieldManager": "tidegate-sandbox", "force": "true"},
        headers={"Content-Type": "application/apply-patch+yaml"},
        content=content,
    )
    if answer.is_error:
        raise Unavailable(f"The API server did not take the CRD {plural}.{group}: {answer.text[:300]}")
    while not _established(answer):
        await asyncio.sleep(_POLL)
        answer = await client.get(path)


def _established(answer: httpx.Response) -> bool:
    if not answer.is_success:
        return False
    conditions = answer.json().get("status", {}).get("conditions") or []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
