"""Health probes of an address, as a user would ask it."""

from __future__ import annotations

import asyncio

from prefect import task

from clients.probe import get
from release.environment import Probe
from release.errors import Failed, Spared, Unavailable
from tasks import stop
from tasks.say import say


@task(task_run_name="probe {address}")
async def healthy(region: str, address: str, probe: Probe, *, recovering: bool = False) -> None:
    """The first good answer counts. Raises Failed after the last attempt, with what was answered."""
    said, answered = "", False
    for attempt in range(1, probe.attempts + 1):
        stop.check(region, recovering=recovering)
        status, said = await _once(address + probe.path, probe.timeout)
        answered = answered or status > 0
        if not said:
            say(f"health probe answered ({attempt} of {probe.attempts})", region=region)
            return
        say(f"health probe {attempt} of {probe.attempts}: {said}", region=region, warn=True)
        if attempt < probe.attempts:
            await asyncio.sleep(probe.gap)
    # Where nothing ever answered, not even a gateway's error, the version was not seen at all.
    kind = Failed if answered else Spared
    raise kind(
        f"{address}{probe.path} gave no good answer in {probe.attempts} probes: {said}.",
        region=region,
        next_step="Look at the application's log in that region.",
    )


async def _once(url: str, timeout: float) -> tuple[int, str]:
    """The status, 0 without an answer, and what is wrong with it, empty where nothing is."""
    try:
        status = (await get(url, timeout=timeout)).status_code
    except Unavailable as error:
        return 0, str(error)
    return status, "" if 200 <= status < 300 else f"status {status}"
