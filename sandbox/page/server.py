"""The page and the control API over HTTP, on a free loopback port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from release.errors import Refused, TidegateError

_PAGE = Path(__file__).parent / "index.html"
_EVERY_S = 1.0
_SHUTDOWN_S = 0.2


class Controls(Protocol):
    """What the API can ask of the sandbox. Each raises Refused naming the field that is wrong."""

    async def picture(self) -> Mapping[str, Any]:
        """Everything the page shows."""

    async def github(self) -> Mapping[str, Any]:
        """Everything that the simulated GitHub keeps beside its repository."""

    async def chart(self, region: str) -> str | None:
        """The newest verdict's course in the region as SVG; None where there is none."""

    async def set_fault(self, body: Mapping[str, Any]) -> None:
        """{name, mode, region?, seconds?, delay?, retry_after?}: for `seconds`; see `sandbox.faults` for the others."""

    async def clear_faults(self, body: Mapping[str, Any]) -> None:
        """{name?, region?}: all without."""

    async def set_traffic(self, body: Mapping[str, Any]) -> None:
        """{rate?, split?, lag?, lying?, region?}"""

    async def set_people(self, body: Mapping[str, Any]) -> None:
        """{approve}: whether the sandbox's people approve what waits."""

    async def set_behaviour(self, body: Mapping[str, Any]) -> None:
        """{version, region?, fields}: no fields ends the change."""


class ControlServer:
    """`GET /`, `/ready`, `/api/state`, `/api/github`, `/api/events`, `/api/verdicts/REGION.svg`; `DELETE /api/faults`,
    and `PUT` of each thing to change."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._ready = False
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, port: int = 0) -> str:
        """Its address."""
        application = web.Application(middlewares=[_errors])
        application.add_routes(
            [
                web.get("/", self._page),
                web.get("/ready", self._readiness),
                web.get("/api/state", self._state),
                web.get("/api/github", self._github),
                web.get("/api/events", self._events),
                web.get("/api/verdicts/{region}.svg", self._chart),
                web.put("/api/faults", self._change(self._controls.set_fault)),
                web.delete("/api/faults", self._change(self._controls.clear_faults)),
                web.put("/api/traffic", self._change(self._controls.set_traffic)),
                web.put("/api/people", self._change(self._controls.set_people)),
                web.put("/api/behaviour", self._change(self._controls.set_behaviour)),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self.url

    def ready(self) -> None:
        """From now on `/ready` answers 200."""
        self._ready = True

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _page(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(_PAGE, headers={"Cache-Control": "no-store"})

    async def _readiness(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"ready": self._ready}, status=200 if self._ready else 503)

    async def _state(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(await self._controls.picture())

    async def _github(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(await self._controls.github())

    async def _chart(self, request: web.Request) -> web.StreamResponse:
        drawn = await self._controls.chart(request.match_info["region"])
        if drawn is None:
            raise web.HTTPNotFound(text="nothing was judged there yet")
        return web.Response(text=drawn, content_type="image/svg+xml", headers={"Cache-Control": "no-store"})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await answer.prepare(request)
        while True:
            data = json.dumps(await self._controls.picture(), separators=(",", ":"))
            try:
                await answer.write(f"data: {data}\n\n".encode())
            except ConnectionError:
                return answer
            await asyncio.sleep(_EVERY_S)

    def _change(
        self, act: Callable[[Mapping[str, Any]], Awaitable[None]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            await act(await _body(request))
            return web.json_response({"done": True})

        return handle


async def _body(request: web.Request) -> Mapping[str, Any]:
    text = await request.text()
    try:
        data = json.loads(text) if text else dict(request.query)
    except json.JSONDecodeError:
        data = None
    if not isinstance(data, dict):
        raise Refused("the body must be a JSON object.", field="body")
    return data


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except TidegateError as error:
        told = {"error": error.what, "field": error.field, "next_step": error.next_step}
        return web.json_response(told, status=422 if isinstance(error, Refused) else 503)
