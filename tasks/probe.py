"""Health probes of an address, as a user would ask it."""

from __future__ import annotations

import asyncio

from prefect import task

from clients.probe import get
from release.environment import Probe
from release.errors import Failed, Unavailable
from tasks import stop
from tasks.say import say


@task(task_run_name="probe {address}")
async def healthy(region: str, address: str, probe: Probe, *, recovering: bool = False) -> None:
    """The first good answer counts. Raises Failed after the last attempt, with what was answered."""
    said = ""
    for attempt in range(1, probe.attempts + 1):
        stop.check(region, recovering=recovering)
        said = await _once(address + probe.path, probe.timeout)
        if not said:
            say(f"health probe answered ({attempt} of {probe.attempts})", region=region)
            return
        say(f"health probe {attempt} of {probe.attempts}: {said}", region=region, warn=True)
        if attempt < probe.attempts:
            await asyncio.sleep(probe.gap)
    raise Failed(
        f"{address}{probe.path} gave no good answer in {probe.attempts} probes: {said}.",
        region=region,
        next_step="Look at the application's log in that region.",
    )


async def _once(url: str, timeout: float) -> str:
    try:
        status = (await get(url, timeout=timeout)).status_code
    except Unavailable as error:
        return str(error)
    return "" if 200 <= status < 300 else f"status {status}"
