"""A Lease at an API server that answers: it is kept between requests, and an old version is refused."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from fakeapi import FakeApi, status

from release import names


class FakeLease:
    """The lock of `app` in `namespace` at `api`. `lost` so many answers to writes do not come, though the write is
    done; while it is `away`, nothing is read."""

    def __init__(self, api: FakeApi, namespace: str, app: str) -> None:
        self.body: dict[str, Any] | None = None
        self.lost = 0
        self.away = False
        folder = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        api.answers[("GET", f"{folder}/{names.lock(app)}")] = self._read
        api.answers[("POST", folder)] = self._write
        api.answers[("PUT", f"{folder}/{names.lock(app)}")] = self._write
        api.answers[("GET", "/version")] = {"major": "1"}

    def _read(self, _: web.Request) -> web.StreamResponse:
        if self.away:
            return status(503, "away")
        return status(404, "not found") if self.body is None else web.json_response(self.body)

    async def _write(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        current = self.body["metadata"]["resourceVersion"] if self.body else None
        if body["metadata"].get("resourceVersion") != current:
            return status(409, "the object has been modified")
        body["metadata"]["resourceVersion"] = str(int(current or 0) + 1)
        self.body = body
        if self.lost:
            self.lost -= 1
            return status(504, "timeout")
        return web.json_response(body)
