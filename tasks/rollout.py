"""Waiting for a region: for its pods, and for what gateways know of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from prefect import task
from prefect.cache_policies import NO_CACHE

from config import load
from release import health, steps, traffic
from release.environment import Region, Rolling
from release.errors import Unavailable
from release.model import RegionState, Slot
from release.strategy import Want
from release.versions import shown
from tasks import context, stop
from tasks.policy import PATIENT
from tasks.say import say

# How long a watch bears an API server that does not answer: users are served without it.
_OUTAGE = 120.0
# Kubernetes brings a Service's endpoints up to date within a second, or seconds after a conflict of its own.
_ENDPOINTS = 30.0

Decide = Callable[[RegionState], steps.Step]


# Its decision is a closure over this process, of which no cache key can be made.
@task(task_run_name="{region.name}: watch the pods", cache_policy=NO_CACHE)
async def watch(region: Region, want: Want, decide: Decide, *, recovering: bool = False) -> steps.Step:
    """Look until something is to be done. A roll-out that takes longer than its time-out is condemned."""
    ends = time.monotonic() + want.limits.timeout
    answered, told = time.monotonic(), -1
    async with context.cluster(region) as cluster:
        while True:
            stop.check(region.name, recovering=recovering)
            try:
                step = decide(await cluster.observe(load.settings().application.name, region.name))
                answered = time.monotonic()
            except Unavailable:
                if time.monotonic() - answered > _OUTAGE:
                    raise
                await asyncio.sleep(want.limits.poll)
                continue
            if not isinstance(step, steps.Await):
                return step
            if step.ready != told:
                told = step.ready
                say(f"{step.ready} of {step.wanted} pods of {shown(want.artifact.version)} ready", region=region.name)
            if time.monotonic() > ends:
                late = f"only {step.ready} of {step.wanted} pods were ready after {want.limits.timeout:.0f} s."
                return steps.Condemn(step.slot, health.Bad("Timeout", late))
            await asyncio.sleep(want.limits.poll)


@task(task_run_name="{region.name}: endpoints of {slot}", **PATIENT)
async def endpoints(region: Region, slot: Slot, limits: Rolling) -> None:
    """Returns when gateways send the slot's users to its Ready pods and to no other; a check before that may reach
    the version before. Where it takes too long the checks say what is wrong.
    """
    app, ends = load.settings().application.name, time.monotonic() + _ENDPOINTS
    async with context.cluster(region) as cluster:
        while True:
            stop.check(region.name)
            state = await cluster.observe(app, region.name)
            ready, services = health.ready_names(state.slot(slot).pods), traffic.leading(app, region, slot, state.route)
            late = [name for name in services if await cluster.endpoints(name) != ready]
            if not late:
                break
            if time.monotonic() > ends:
                say(f"after {_ENDPOINTS:.0f} s {late[0]} leads not to its Ready pods", region=region.name, warn=True)
                break
            await asyncio.sleep(limits.poll)
    await asyncio.sleep(limits.settle)
