"""What a verdict sees while it goes on, kept at the Prefect server for the operator's metrics and page."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from prefect.artifacts import Artifact
from prefect.client.schemas.actions import ArtifactUpdate

from config import load
from release.environment import Region
from release.verdict import Verdict
from tasks import api, clock, context

# Seconds between two tellings, divided by the sandbox's speed, and at least: each is a request.
EVERY, LEAST = 1.0, 0.5
# What is still told when its region is done; a loop knows its tasks only weakly.
_last: set[asyncio.Task[None]] = set()


class Course:
    """One region's verdict as a JSON artifact that is updated. It never delays the verdict or the way back: what
    cannot be told in time is left out, and a server that does not answer is not waited for."""

    def __init__(self, environment: str, region: Region) -> None:
        self._key = f"live-{environment}-{region.name}"
        self._place = {"environment": environment, "region": region.name}
        self._every = max(LEAST, EVERY / load.settings().speed)
        self._id: UUID | None = None
        self._told = -EVERY
        self._untold: dict[str, Any] | None = None
        self._drawn: Callable[[], dict[str, Any]] = dict
        self._telling: asyncio.Task[None] | None = None

    def tell(self, found: Verdict, weight: int, drawn: Callable[[], dict[str, Any]]) -> None:
        """Begin to tell the newest verdict, unless that was done a moment ago or is still under way. `drawn` makes
        what it is drawn from where this machine's disk is not at hand; it is asked only when it is told."""
        now, self._drawn = time.monotonic(), drawn
        self._untold = self._place | facts(found, weight)
        if now - self._told < self._every or (self._telling is not None and not self._telling.done()):
            return
        self._told = now
        self._telling = asyncio.create_task(self._tell())

    def end(self) -> None:
        """Tell the last verdict, without waiting for it."""
        if self._untold is not None:
            task = asyncio.create_task(self._finish())
            _last.add(task)
            task.add_done_callback(_last.discard)

    async def _finish(self) -> None:
        if self._telling is not None:
            await self._telling
        await self._tell()

    async def _tell(self) -> None:
        facts, self._untold = self._untold, None
        if facts is not None:
            await self._send(facts)

    async def _send(self, facts: dict[str, Any]) -> None:
        with suppress(Exception):  # whatever keeps it from being told must not touch the release
            data = facts | self._drawn() | {"run": context.run_id(), "at": clock.now()}
            if self._id is None:
                self._id = (await Artifact(type="json", key=self._key, data=data).acreate()).id
            else:
                async with api.client() as client:
                    await client.update_artifact(self._id, ArtifactUpdate(data=json.dumps(data)))


def facts(found: Verdict, weight: int) -> dict[str, Any]:
    """A verdict as plain data: evidence in ln, counts in requests."""
    return {
        "weight": weight,
        "kind": str(found.kind),
        "cause": str(found.cause),
        "against": found.against,
        "needed": found.needed,
        "favour": found.favour,
        "wanted": found.wanted,
        "canary": [found.canary.requests, found.canary.errors],
        "stable": [found.stable.requests, found.stable.errors],
        "sentence": found.sentence,
    }
