"""The table of a run's regions on Prefect's page, current while the run goes on. It delays and fails nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from prefect.artifacts import Artifact
from prefect.client.schemas.actions import ArtifactUpdate

from release import tables
from release.outcome import RegionResult
from tasks import api

WAITING, UNDER_WAY, BACK = "waiting", "under way", "going back"


class Board:
    """One table artifact: a row a region, in the order of the release."""

    def __init__(self, key: str, regions: Sequence[str]) -> None:
        self._key = key
        self._rows = {region: tables.region_row(region, WAITING) for region in regions}
        self._id: UUID | None = None
        self._dirty = False
        self._writing: asyncio.Task[None] | None = None
        self._write()

    def says(self, region: str, outcome: str) -> None:
        """Where a region is now, in a word or two."""
        self._rows[region] = {**self._rows.get(region, {}), **tables.region_row(region, outcome)}
        self._write()

    def ended(self, results: Sequence[RegionResult]) -> None:
        """What regions told at their end."""
        self._rows |= {str(row["region"]): row for row in tables.region_table(results)}
        self._write()

    async def settle(self) -> bool:
        """Wait for what is still being written; whether the table is there."""
        if self._writing is not None:
            await self._writing
        return self._id is not None

    def _write(self) -> None:
        self._dirty = True
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while self._dirty:
            self._dirty = False
            rows: list[dict[str, Any]] = list(self._rows.values())
            with suppress(Exception):  # a page that is behind must not touch the release
                if self._id is None:
                    made = Artifact(type="table", key=self._key, data=json.dumps(rows), description="Regions")
                    self._id = (await made.acreate()).id
                else:
                    async with api.client() as client:
                        await client.update_artifact(self._id, ArtifactUpdate(data=json.dumps(rows)))


_current: ContextVar[Board | None] = ContextVar("board", default=None)


def begin(key: str, regions: Sequence[str]) -> Board:
    """The table of a run that begins to change regions."""
    found = Board(key, regions)
    _current.set(found)
    return found


def forget() -> None:
    """A run begins, and has none yet: another run of this process may have had one."""
    _current.set(None)


def current() -> Board | None:
    """This run's, where it has one."""
    return _current.get()
