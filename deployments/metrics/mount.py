"""The metrics of this checkout's settings, ready to be mounted by the operator service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter

from clients.prefect_records import Records
from clients.releases import Releases
from clients.store import Store
from config import load
from deployments import prefectapi
from deployments.metrics.service import EVERY, MetricsService

# The sandbox's releases may take seconds: it is looked at more often, as all its waits are shorter.
FASTEST = 1.0


@asynccontextmanager
async def measuring(store: Store) -> AsyncIterator[APIRouter]:
    """`/metrics` over an open store, kept fresh while the block runs."""
    api, headers = prefectapi.place()
    every = max(FASTEST, EVERY / load.settings().speed)
    environments = [load.environment(name) for name in load.ENVIRONMENTS]
    async with (
        Records(api, headers=headers) as records,
        MetricsService(records, Releases(store), environments, every=every) as service,
    ):
        yield service.router
