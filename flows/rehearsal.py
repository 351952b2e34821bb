"""Staging's rehearsal: from the new version back to the one that is live in production and forward again, timed,
while the load test goes on."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path

from prefect import flow

from config import load
from flows.roll import Job, go_back, roll
from release.environment import Environment, Region
from release.errors import Failed, Refused, TidegateError, Unavailable
from release.model import Artifact, Record, RegionState
from release.recovery import Back
from release.strategy import Want
from release.wayback import Result, WayBack, target
from tasks import clock, context, deploy, image, probe, source, stop
from tasks.say import say


async def production_now() -> list[RegionState]:
    """What production's regions show, as far as they answer. Raises Unavailable when none does."""
    regions = load.environment("production").regions.values()
    answers = await asyncio.gather(*(deploy.observe(region) for region in regions), return_exceptions=True)
    seen = [answer for answer in answers if isinstance(answer, RegionState)]
    for answer in answers:
        if isinstance(answer, BaseException) and (not seen or not isinstance(answer, Unavailable)):
            raise answer
    return seen


async def way_back(
    environment: Environment, region: Region, new: Want, checkout: Path, production: list[RegionState]
) -> WayBack:
    """Rehearse it where there is one. Raises as `rehearse`."""
    if not environment.rehearsal.enabled:
        found = WayBack("off")
    else:
        older = target(production, new.artifact, source.application_file(checkout))
        found = older if isinstance(older, WayBack) else await rehearse(environment, region, new, older, checkout)
    bad = found.result == "failed" or not found.in_time
    say(f"way back: {found}", region=region.name, warn=bad)
    return found


@flow(name="rehearsal", flow_run_name="back to v{older.version} and forward", validate_parameters=False)
async def rehearse(environment: Environment, region: Region, new: Want, older: Artifact, checkout: Path) -> WayBack:
    """The way that a failed production release would go. A way back that fails is told, not raised; raises
    TidegateError when the new version does not come live again."""
    say(f"rehearses the way back to v{older.version} under load", region=region.name)
    ended = asyncio.Event()
    load_test = asyncio.create_task(_load(ended, environment, region, (older, new.artifact), checkout))
    try:
        back, problem = await _back(environment, region, new, older, context.chart(checkout))
        forward = await _forward(environment, region, new, context.chart(checkout))
    except BaseException:
        load_test.cancel()
        with suppress(asyncio.CancelledError, TidegateError):
            await load_test
        raise
    ended.set()
    loaded = await load_test
    problem = problem or loaded
    budget = environment.rehearsal.budget
    result: Result = "failed" if problem else "rehearsed"
    return WayBack(result, older.version, older.digest, back, forward, budget, problem)


async def _back(environment: Environment, region: Region, new: Want, older: Artifact, chart: Path) -> tuple[float, str]:
    """Seconds, and what went wrong."""
    began = time.monotonic()
    try:
        if not await image.exists(older.digest):
            return 0.0, f"its image ({older.digest[:19]}) is no longer in the registry"
        state = await deploy.observe(region)
        here = state.slot(state.live_slot)
        revision = here.release.revision if here.release else 0
        to = Record(older, state.live_slot, revision, new.config, clock.now(), context.run_id())
        await go_back(environment, Back(region.name, to, at_once=False), new, chart)
    except (Failed, Refused, Unavailable) as error:
        stop.check_lock(region.name)
        return time.monotonic() - began, error.what
    return time.monotonic() - began, ""


async def _forward(environment: Environment, region: Region, new: Want, chart: Path) -> float:
    began = time.monotonic()
    await roll(Job(environment, region, new, chart, f"v{new.artifact.version} again, after its way back was rehearsed"))
    await probe.healthy(region.name, region.address, environment.probe)
    return time.monotonic() - began


async def _load(
    ended: asyncio.Event, environment: Environment, region: Region, versions: tuple[Artifact, Artifact], checkout: Path
) -> str:
    """The load test, again and again until `ended`; what it found wrong, empty where nothing."""
    variables = await context.variables(environment, region)
    # Both versions answer while one replaces the other.
    expected = ",".join(version.version for version in versions)
    here = {"API_URL": region.address, "TARGET_URL": region.address, "EXPECTED_VERSION": expected}
    while not ended.is_set():
        try:
            await source.check(region.name, "load", checkout, {**variables, **here}, tuple(environment.secrets))
        except TidegateError as error:
            return error.what
    return ""
