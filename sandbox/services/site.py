"""One HTTP server on loopback, its answers marked as simulated."""

from __future__ import annotations

from aiohttp import web

from sandbox.ports import LOOPBACK

SIMULATED = {"X-Simulated-By": "tidegate-sandbox"}
# Connections that a client keeps open must not hold up the sandbox's end.
_GOODBYE = 0.5


class Site:
    """Serves `app` on 127.0.0.1 at `port`, 0 for any free one. `start` and `stop` may alternate."""

    def __init__(self, app: web.Application, *, port: int = 0) -> None:
        app.on_response_prepare.append(_mark)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GOODBYE)
        self.port = port

    @property
    def url(self) -> str:
        """Its address without a final slash; known once it has started."""
        return f"http://{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()


async def _mark(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(SIMULATED)
