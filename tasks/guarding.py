"""Seeing to it that somebody watches the rollback window: one guard, and for no longer than it is open."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from prefect import task
from prefect.client.schemas.objects import Worker, WorkerStatus
from prefect.exceptions import ObjectNotFound

from config import load
from release.environment import Environment, Region
from release.locking import Held
from release.model import RegionState
from tasks import api, context
from tasks.say import say

FLOW = "guard"
_HEARTBEAT_S = 30.0


@task(task_run_name="does a worker watch")
async def served() -> bool:
    """Whether a worker is there for the guard's deployment, which then starts by itself after a release."""
    try:
        async with api.client() as client:
            found = await client.read_deployment_by_name(f"{FLOW}/{FLOW}")
            workers = await client.read_workers_for_work_pool(found.work_pool_name or "")
    except ObjectNotFound:
        return False
    except Exception as error:  # whatever it is: the release stands, and whoever began it watches
        say(f"whether a worker watches the rollback window is not known: {error}", warn=True)
        return False
    return not found.paused and any(_lives(worker) for worker in workers)


def _lives(worker: Worker) -> bool:
    # Prefect itself takes three heartbeats to call a dead worker offline.
    heard, interval = worker.last_heartbeat_time, worker.heartbeat_interval_seconds or _HEARTBEAT_S
    lately = heard is not None and (datetime.now(UTC) - heard).total_seconds() < 2 * interval
    return lately and worker.status == WorkerStatus.ONLINE


@contextmanager
def alone(environment: str, end: str) -> Iterator[bool]:
    """Be this machine's only guard of that window: False while another one lives. A dead one holds nothing."""
    path = context.work("guard") / f"{environment}-{end.replace(':', '')}.pid"
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)


async def look(environment: Environment, region: Region) -> tuple[RegionState, Held | None, float]:
    """The region, who holds the environment's lock, and the time of the lock (seconds since the epoch).

    No task of its own, since it is asked every few seconds. Raises Unavailable.
    """
    app, first = load.settings().application.name, next(iter(environment.regions.values()))
    async with context.cluster(region) as cluster, context.lock(first) as lock:
        state, held = await asyncio.gather(cluster.observe(app, region.name), lock.read())
    return state, held.held, held.now
