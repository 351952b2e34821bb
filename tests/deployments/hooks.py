"""The service in-process, over a database of a file, and deliveries as GitHub signs them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from clients.deliveries import Deliveries, Delivery
from clients.store import Store
from deployments.service.app import Health, application
from deployments.service.limits import Buckets
from deployments.service.webhook import PATH, Inbox, router
from release.triggers import Source

SECRET = b"the webhook's secret"
MOST = 20_000
PUSH: dict[str, Any] = {
    "ref": "refs/heads/main",
    "deleted": False,
    "head_commit": {"message": "feat: more"},
    "repository": {"full_name": "example/shop"},
    "sender": {"login": "ada"},
}


def signed(body: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def headers(body: bytes, event: str = "push", delivery: str = "d-1", signature: str | None = None) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": signed(body) if signature is None else signature,
    }


def pushed(branch: str = "main", **more: Any) -> bytes:
    return json.dumps({**PUSH, "ref": f"refs/heads/{branch}", **more}).encode()


@dataclass
class Door:
    """The service behind its transport; `kept` are the deliveries that will start something."""

    http: httpx.AsyncClient
    deliveries: Deliveries
    app: FastAPI
    woken: list[bool]

    async def deliver(self, body: bytes, **how: Any) -> httpx.Response:
        return await self.http.post(PATH, content=body, headers=headers(body, **how))

    async def kept(self) -> list[Delivery]:
        return await self.deliveries.waiting()


@asynccontextmanager
async def door(url: str, *more: APIRouter, rate: float = 10_000, burst: int = 100_000) -> AsyncIterator[Door]:
    async with Store(url) as store:
        deliveries, woken = Deliveries(store), []
        inbox = Inbox(SECRET, Source("example/shop", "main"), deliveries, MOST, lambda: woken.append(True))

        async def prefect() -> bool:
            return False

        app = application([router(inbox), *more], Health(lambda: deliveries.counts(0), prefect), Buckets(rate, burst))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tidegate") as http:
            yield Door(http, deliveries, app, woken)
    await ended()


async def ended() -> None:
    """A call that was cancelled still runs in its thread, which has an answer for this loop as long as there is one."""
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 5)


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'store.db'}"
