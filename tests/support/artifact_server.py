"""The part of a Prefect server that keeps artifacts, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiohttp import web
from aiohttp.test_utils import TestServer
from prefect.events.clients import NullEventsClient
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_API_URL, temporary_settings


@dataclass
class ArtifactServer:
    """`kept` is newest last; while `down`, it answers 500."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False

    async def create(self, request: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=500)
        now = datetime.now(UTC).isoformat()
        self.kept.append({**await request.json(), "id": str(uuid4()), "created": now, "updated": now})
        return web.json_response(self.kept[-1], status=201)

    async def found(self, request: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=500)
        body = await request.json()
        assert body["sort"] == "CREATED_DESC"
        keys = body["artifacts"]["key"]["any_"]
        return web.json_response([one for one in reversed(self.kept) if one["key"] in keys][: body["limit"]])

    async def delete(self, request: web.Request) -> web.Response:
        self.kept = [one for one in self.kept if one["id"] != request.match_info["id"]]
        return web.Response(status=204)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Prefect's own client asks it as long as the block lasts."""
        app = web.Application()
        app.router.add_post("/api/artifacts/", self.create)
        app.router.add_post("/api/artifacts/filter", self.found)
        app.router.add_delete("/api/artifacts/{id}", self.delete)
        async with TestServer(app) as server:
            # Prefect would tell of each artifact by a socket, and go on trying when the server is gone.
            EventsWorker.set_client_override(NullEventsClient)
            try:
                with temporary_settings({PREFECT_API_URL: str(server.make_url("/api"))}):
                    yield
            finally:
                EventsWorker.set_client_override(None)
