"""The metrics as a part of the operator service: a route, and what keeps its data fresh in the background."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from clients.prefect_records import Records
from clients.releases import Releases
from deployments.metrics.collector import text
from deployments.metrics.look import look
from release import underway
from release.dora import Measures, measures
from release.environment import Environment
from release.errors import TidegateError, Unavailable
from release.metrics import Family, combinations, of_table
from release.underway import Now
from tasks.catchup import SOURCE, catch_up

# Seconds between two looks; Prometheus scrapes less often.
EVERY = 5.0
WINDOWS = {"7d": timedelta(days=7), "30d": timedelta(days=30)}
STRATEGIES: Mapping[str, Sequence[str]] = {
    "production": ("rolling", "blue-green", "canary"),
    "rollback": ("rollback",),
}
_MEASURED_FOR = 60.0
_FIRST_LOOK = 5.0
_log = logging.getLogger("tidegate.metrics")


class MetricsService:
    """`async with MetricsService(runs, table, environments) as metrics: app.include_router(metrics.router)`."""

    def __init__(
        self, runs: Records, table: Releases, environments: Sequence[Environment], *, every: float = EVERY
    ) -> None:
        self._runs, self._table, self._environments, self._every = runs, table, environments, every
        self._regions = {each.name: tuple(each.regions) for each in environments}
        self._known = combinations(self._regions, STRATEGIES)
        self._now, self._seen = Now(), time.monotonic()
        self._looked = asyncio.Event()
        self._read_once = False
        self._caught_up: float | None = None
        self._dora: Mapping[str, Measures] = {}
        self._measured = -_MEASURED_FOR
        self._work: asyncio.Task[None] | None = None
        self.router = APIRouter()
        self.router.add_api_route("/metrics", self.answer, methods=["GET"], response_class=Response)

    async def __aenter__(self) -> Self:
        self._work = asyncio.create_task(self._keep_fresh())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._work is not None:
            self._work.cancel()
            with suppress(asyncio.CancelledError):
                await self._work

    async def answer(self) -> Response:
        """What Prometheus scrapes; 503 where the table cannot be read, so that no counter is told wrong."""
        with suppress(TimeoutError):  # right after a start, a series that is missing would look like an end
            await asyncio.wait_for(self._looked.wait(), _FIRST_LOOK)
        try:
            families = await self.families()
        except Unavailable as error:
            return Response(f"{error}\n", status_code=503, media_type="text/plain")
        return Response(text(families), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def families(self) -> list[Family]:
        """Everything as it is now. Raises Unavailable where the table does not answer."""
        if not self._read_once and await self._table.caught_up(SOURCE) is None:
            # Counters that rise by what is long past would look like events of this moment.
            raise Unavailable("Prefect's records are being read for the first time.", field="prefect")
        self._read_once = True
        table = await self._table.table()
        passed = time.monotonic() - self._seen
        since = None if self._caught_up is None else time.monotonic() - self._caught_up
        return [
            *of_table(table, self._dora, self._known),
            *underway.families(self._now, passed),
            underway.caught_up(since),
        ]

    def started(self) -> None:
        """Answers no longer wait for a first look."""
        self._looked.set()

    async def refresh(self) -> None:
        """Catch up and look, once. What does not answer is tried again the next time."""
        self._now = await look(self._runs, self._environments)
        self._seen = time.monotonic()
        try:
            new = await catch_up(self._runs, self._table, self._regions)
            self._caught_up = time.monotonic()
            if new or self._caught_up - self._measured >= _MEASURED_FOR:
                await self.measure()
        except TidegateError as error:
            _log.warning("the table of finished releases is not up to date: %s", error)

    async def measure(self) -> None:
        """The table and DORA's measures as they are now: once a minute and after each release, not at a scrape."""
        await self._table.table()
        now = datetime.now(UTC)
        found = await self._table.deployments("production", now - max(WINDOWS.values()))
        self._dora = {name: measures(found, now - window, now) for name, window in WINDOWS.items()}
        self._measured = time.monotonic()

    async def _keep_fresh(self) -> None:
        while True:
            try:
                await self.refresh()
            except TidegateError as error:
                _log.warning("metrics are not up to date: %s", error)
            except Exception:  # the next look may succeed, and nobody else would start it again
                _log.exception("metrics are not up to date")
            self.started()
            await asyncio.sleep(self._every)
