"""GitHub's webhooks: events sent out, signed, each delivery with an id of its own and kept."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from sandbox.services.github.state import now
from sandbox.services.site import SIMULATED

# GitHub gives a receiver ten seconds.
_PATIENCE = 10.0
HOOK_ID = 4001


@dataclass(frozen=True, slots=True)
class Attempt:
    """`status` is the receiver's answer, 0 for none; `at` is when, as GitHub writes it, `seconds` how long (wall)."""

    id: int
    at: str
    status: int
    seconds: float


@dataclass(slots=True)
class Delivery:
    """An event on its way: redelivering it keeps `id` and `body`. `action` is "" where the event has none."""

    id: str
    event: str
    action: str
    body: bytes
    attempts: list[Attempt] = field(default_factory=list)


class Deliveries:
    """Sends events to one target, once there is one; each at once, and none twice by itself, as GitHub does."""

    def __init__(self) -> None:
        self.sent: list[Delivery] = []
        self._url: str | None = None
        self._secret = b""
        self._session: aiohttp.ClientSession | None = None
        self._numbers = itertools.count(5001)
        self._running: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str | None:
        """Where events go."""
        return self._url

    def target(self, url: str | None, secret: str) -> None:
        """Where events go from now on; None for nowhere."""
        self._url, self._secret = url, secret.encode()

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_PATIENCE), trust_env=False)

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def send(self, event: str, payload: Mapping[str, Any]) -> None:
        """Send an event without waiting for its receiver; nothing happens while there is no target."""
        if self._url is None:
            return
        body = json.dumps(payload).encode()
        delivery = Delivery(str(uuid.uuid4()), event, str(payload.get("action", "")), body)
        self.sent.append(delivery)
        self._begin(delivery)

    def redeliver(self, delivery_id: str) -> None:
        """Send a kept delivery again, same id and body. Raises KeyError for an unknown id."""
        found = next((one for one in self.sent if one.id == delivery_id), None)
        if found is None:
            raise KeyError(delivery_id)
        self._begin(found)

    async def settled(self) -> None:
        """Wait until nothing is on its way."""
        while self._running:
            await asyncio.gather(*self._running)

    def _begin(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self._attempt(delivery))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _attempt(self, delivery: Delivery) -> None:
        number, at, started, status = next(self._numbers), now(), time.monotonic(), 0
        assert self._session is not None
        assert self._url is not None
        try:
            headers = self._headers(delivery)
            async with self._session.post(self._url, data=delivery.body, headers=headers) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass
        delivery.attempts.append(Attempt(number, at, status, time.monotonic() - started))

    def _headers(self, delivery: Delivery) -> Mapping[str, str]:
        signature = hmac.new(self._secret, delivery.body, hashlib.sha256).hexdigest()
        return {
            **SIMULATED,
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/sandbox",
            "X-GitHub-Delivery": delivery.id,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": str(HOOK_ID),
            "X-GitHub-Hook-Installation-Target-Type": "repository",
            "X-Hub-Signature-256": f"sha256={signature}",
        }
