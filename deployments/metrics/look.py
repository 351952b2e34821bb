"""One look at what is under way: locks and weights from the clusters, evidence and approvals from Prefect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from clients.cluster import Cluster
from clients.lock import Lock
from clients.prefect_records import Records
from config import load
from release.environment import Environment, Region
from release.errors import TidegateError
from release.finished import PIPELINES, STRATEGIES, label, strategy_of
from release.locking import Held
from release.underway import Evidence, LockSeen, Now, Under, Weight, evidence_of, pipeline_of

# The state of a run that waits for people, by its name.
WAITING = "AwaitingApproval"


async def look(source: Records, environments: Sequence[Environment]) -> Now:
    """What is under way now. What does not answer is left out, and named in `sources`."""
    seen = await asyncio.gather(*(_lock(each) for each in environments))
    held = [(each, lock[0], lock[1]) for each, lock in zip(environments, seen, strict=True) if lock and lock[0]]
    sources = {f"cluster/{each.name}": lock is not None for each, lock in zip(environments, seen, strict=True)}
    weights = await asyncio.gather(*(_weight(each, region) for each, *_ in held for region in each.regions.values()))
    try:
        releases = [one for each, lock, now in held if (one := await _release(source, each, lock, now))]
        evidence = await _evidence(source, releases)
        waiting = await _waiting(source, environments)
        sources["prefect"] = True
    except TidegateError:
        releases, evidence, waiting, sources["prefect"] = [], (), {}, False
    return Now(
        locks=tuple(_seen(each, *lock) for each, lock in zip(environments, seen, strict=True) if lock is not None),
        releases=tuple(releases),
        weights=tuple(weight for weight in weights if weight is not None),
        evidence=evidence,
        waiting=waiting,
        sources=sources,
    )


async def _lock(environment: Environment) -> tuple[Held | None, float] | None:
    """Who holds it, and the API server's time; None where it does not answer."""
    settings, region = load.settings(), next(iter(environment.regions.values()))
    kubeconfig, app = settings.kubeconfig.expanduser(), settings.application.name
    try:
        async with Lock(kubeconfig, region.context, region.namespace, app, timeout=5) as lock:
            state = await lock.read()
    except TidegateError:
        return None
    return state.held, state.now


def _seen(environment: Environment, held: Held | None, now: float) -> LockSeen:
    if held is None:
        return LockSeen(environment.name)
    return LockSeen(environment.name, max(0.0, now - held.since), now >= held.lapses)


async def _weight(environment: Environment, region: Region) -> Weight | None:
    settings, place = load.settings(), (region.context, region.namespace)
    try:
        async with Cluster(settings.kubeconfig.expanduser(), *place, switch=region.traffic, timeout=5) as cluster:
            route = await cluster.split(settings.application.name)
    except TidegateError:
        return None
    if route is None:
        return None
    return Weight(environment.name, region.name, route.blue, route.green, route.maintenance > time.time())


async def _release(source: Records, environment: Environment, held: Held, now: float) -> Under | None:
    """The release that holds the lock; None where the holder deploys nothing."""
    pipeline = pipeline_of(held.holder.what)
    if pipeline is None:
        return None
    run = await source.run(held.holder.run)
    given: Mapping[str, Any] = run.parameters if run else {}
    strategy = strategy_of(pipeline, given, await source.regions_of(held.holder.run))
    regions = [region for region in given.get("regions") or () if region in environment.regions]
    return Under(
        run=held.holder.run,
        environment=environment.name,
        pipeline=pipeline,
        strategy=label(strategy, STRATEGIES),
        regions=tuple(regions or environment.regions),
        seconds=max(0.0, now - held.since),
    )


async def _evidence(source: Records, releases: Sequence[Under]) -> tuple[Evidence, ...]:
    runs = {one.run for one in releases}
    if not runs:
        return ()
    told = [evidence_of(facts) for facts in await source.courses() if facts.get("run") in runs]
    return tuple(one for one in told if one is not None)


async def _waiting(source: Records, environments: Sequence[Environment]) -> dict[str, list[float]]:
    """Environment -> the seconds that each release has waited for approval."""
    found: dict[str, list[float]] = {each.name: [] for each in environments}
    now = datetime.now(UTC)
    for run, since in await source.waiting(WAITING):
        place = PIPELINES.get(run.pipeline)
        if place is not None and place in found:
            # Each vote begins the wait anew; people have been asked since the run began.
            found[place].append(max(0.0, (now - (run.began or since)).total_seconds()))
    return found
