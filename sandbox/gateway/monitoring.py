"""The monitoring's own HTTP API: counters as Prometheus text, and the error rate as the originals asked for it."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping

from aiohttp import web

from sandbox.gateway import exposition
from sandbox.gateway.counters import Meter
from sandbox.gateway.windows import of_application, recent

KEEP = 900.0
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Monitoring:
    """Serves what the gateway counts. A region can be made to lie: its counters then stay as they were."""

    def __init__(self, meters: Mapping[str, Meter], clock: Callable[[], float]) -> None:
        self.address = ""
        self._meters, self._clock = meters, clock
        self._stale: dict[str, tuple[Meter, float]] = {}
        self._runner: web.AppRunner | None = None

    def freeze(self, region: str | None = None) -> None:
        """Show the counters of this moment, with its time, until `thaw`; of all regions without a name."""
        for name in [region] if region else list(self._meters):
            if name in self._meters and name not in self._stale:
                self._stale[name] = (copy.deepcopy(self._meters[name]), self._clock())

    def thaw(self, region: str | None = None) -> None:
        """Tell the truth again."""
        for name in [region] if region else list(self._stale):
            self._stale.pop(name, None)

    async def start(self) -> None:
        """Listen on a free port of the loopback: `address` is its URL."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/metrics/{region}", self._metrics)
        app.router.add_get("/api/error-rate", self._error_rate)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        meters = self._chosen(request.match_info.get("region") or request.query.get("region"))
        # The content type has a parameter of its own, which aiohttp's argument for it does not take.
        return web.Response(body=exposition.text(meters), headers={"Content-Type": exposition.CONTENT_TYPE})

    async def _error_rate(self, request: web.Request) -> web.Response:
        service, duration = request.query.get("service", ""), request.query.get("duration", "")
        if not service:
            return _refused(400, "service: the application's name is needed")
        seconds = seconds_of(duration)
        if seconds is None or not 0 < seconds <= KEEP:
            return _refused(400, f"duration: {duration!r} is not one like 30s or 10m, of at most {KEEP:.0f}s")
        requests = errors = 0
        newest = self._clock()
        for meter, stale in self._chosen(request.query.get("region")).values():
            at = self._clock() if stale is None else stale
            more, failed = recent(meter, of_application(service), seconds, at)
            requests, errors, newest = requests + more, errors + failed, min(newest, at)
        rate = errors / requests if requests else 0.0
        return web.json_response({"rate": rate, "requests": requests, "errors": errors, "at": newest})

    def _chosen(self, region: str | None) -> exposition.Meters:
        if region is not None and region not in self._meters:
            raise web.HTTPNotFound(text=f"region: {region} is not known; known are {', '.join(sorted(self._meters))}")
        names = [region] if region else sorted(self._meters)
        return {name: self._stale.get(name) or (self._meters[name], None) for name in names}


def seconds_of(duration: str) -> float | None:
    """`500ms`, `30s`, `10m`, `1.5h` in seconds; None for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", duration)
    return float(found[1]) * UNITS[found[2]] if found else None


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)
