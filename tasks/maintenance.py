"""Maintenance mode: on in every region before the first is touched, off whatever happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from prefect import task

from clients.together import every
from config import load
from release import maintenance
from release.environment import Environment, Region
from release.errors import TidegateError
from tasks import clock, context
from tasks.policy import PATIENT
from tasks.say import say


@asynccontextmanager
async def maintained(environment: Environment, regions: Iterable[str]) -> AsyncIterator[None]:
    """Maintenance mode in these regions as the environment wants it. Raises Unavailable when one cannot be reached.

    A region where it cannot be switched off again is named in the log: there it lapses by itself.
    """
    mode, places = environment.maintenance.mode, [environment.regions[name] for name in regions]
    if mode == "off":
        yield
        return
    until = clock.later(environment.maintenance.longest)
    text = maintenance.annotation(mode, until)
    try:
        await every(*(switch(region, text) for region in places))
        say(f"maintenance mode is on ({mode}), at the latest until {until}")
        for region in places:
            if region.traffic == "service":
                say("users see no banner: a Service sets no header", region=region.name)
        yield
    finally:
        await asyncio.shield(_off(places, until))


async def switch_off(environment: Environment, regions: Iterable[str]) -> None:
    """End what a dead run switched on; where it cannot be, that is said."""
    await _off([environment.regions[name] for name in regions], "the time that is written on the route")


async def _off(places: Iterable[Region], until: str) -> None:
    async def one(region: Region) -> bool:
        try:
            await switch(region, None)
        except TidegateError as error:
            say(f"maintenance mode lapses at {until}: it could not be switched off ({error})", region=region.name)
            return False
        return True

    if all(await asyncio.gather(*(one(region) for region in places))):
        say("maintenance mode is off")


@task(task_run_name="{region.name}: maintenance mode", **PATIENT)
async def switch(region: Region, text: str | None) -> None:
    """Write the route's annotation, or remove it; where there is no route yet, there are no users to tell."""
    async with context.cluster(region) as cluster:
        await cluster.set_maintenance(load.settings().application.name, text)
