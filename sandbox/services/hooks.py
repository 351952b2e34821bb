"""The database's backup webhook and the monitoring's webhook, simulated: what they were told is kept."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.services.site import Site

# What each kind of backup must say beside its type.
_FIELDS = {"pre-release": ("tag",), "emergency": ("region", "version")}


@dataclass(frozen=True, slots=True)
class Call:
    """An accepted call: `payload` as it came, `at` ISO 8601 UTC, `id` what was answered."""

    id: str
    at: str
    payload: Mapping[str, Any]


class Hooks:
    """POST /backup with the bearer token `token`, POST /monitoring with any or none.

    `backups` and `events` hold the accepted calls, oldest first.
    """

    def __init__(self, token: str, *, port: int = 0) -> None:
        self._token = token
        self.backups: list[Call] = []
        self.events: list[Call] = []
        app = web.Application()
        app.router.add_post("/backup", self._backup)
        app.router.add_post("/monitoring", self._monitoring)
        self._site = Site(app, port=port)

    @property
    def backup_url(self) -> str:
        return f"{self._site.url}/backup"

    @property
    def monitoring_url(self) -> str:
        return f"{self._site.url}/monitoring"

    async def start(self) -> None:
        await self._site.start()

    async def stop(self) -> None:
        await self._site.stop()

    async def _backup(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return web.json_response({"error": "the bearer token is not right"}, status=401)
        payload = await _object(request)
        problem = _problem(payload)
        if problem is not None:
            return web.json_response({"error": problem}, status=400)
        call = _kept(self.backups, "backup", payload)
        return web.json_response({"id": call.id, "status": "completed", "finished_at": call.at})

    async def _monitoring(self, request: web.Request) -> web.Response:
        payload = await _object(request)
        if not isinstance(payload.get("event"), str):
            return web.json_response({"error": "`event` is missing"}, status=400)
        call = _kept(self.events, "event", payload)
        return web.json_response({"id": call.id, "status": "accepted"}, status=202)


async def _object(request: web.Request) -> Mapping[str, Any]:
    """The body as a JSON object; empty for anything else, which no rule accepts."""
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _problem(payload: Mapping[str, Any]) -> str | None:
    fields = _FIELDS.get(str(payload.get("type")))
    if fields is None:
        return f"`type` must be one of {', '.join(_FIELDS)}"
    for name in fields:
        if not isinstance(payload.get(name), str) or not payload[name]:
            return f"`{name}` is missing"
    return None


def _kept(calls: list[Call], kind: str, payload: Mapping[str, Any]) -> Call:
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    call = Call(f"{kind}-{len(calls) + 1}", at, payload)
    calls.append(call)
    return call
