"""The board's parts of the real world: each region's cluster, the locks, runs, gates, and the past."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from clients.cluster import Cluster
from clients.history import History, Wanted
from clients.lock import Lock
from clients.releases import Releases
from clients.store import Store
from config import load
from deployments.service import world_gates
from deployments.service.observer import Change, Look, Part
from deployments.service.world_runs import Runs
from release.board_seen import Measured, Past, Seen, SeenFreeze, SeenLock, SeenRegion
from release.dora import measures
from release.environment import Environment, Region
from release.errors import TidegateError
from release.gates_freeze import ahead

# Seconds between two looks while somebody looks.
_OFTEN, _STEADY, _SELDOM = 1.0, 3.0, 30.0
# So many regions are looked at in a second, at most: four requests each.
_REGIONS_A_SECOND = 12.0
_TIMEOUT = 8.0
_NEWEST = 200
_AHEAD = timedelta(days=14)
_WEEKS, _DAYS = 12, 30


def nothing_seen(environments: Sequence[Environment]) -> Seen:
    """The regions that there are, before the first look."""
    settings = load.settings()
    regions = [
        SeenRegion(each.name, region.name, region.address) for each in environments for region in each.regions.values()
    ]
    return Seen(
        datetime.now(UTC).timestamp(), settings.target, settings.application.name, tuple(regions),
        tuple(SeenLock(each.name) for each in environments),
    )  # fmt: skip


def parts(environments: Sequence[Environment], store: Store) -> list[Part]:
    """All of them. The store must be open for as long as they are looked at."""
    count = sum(len(each.regions) for each in environments)
    found = [_region(each, region, count) for each in environments for region in each.regions.values()]
    found += [_lock(each) for each in environments]
    return [
        *found,
        Part("Prefect", Runs(environments).look, lambda seen: _OFTEN if _busy(seen) else _STEADY),
        Part("the database of approvals", world_gates.approvals(store), lambda _: _STEADY),
        Part("the database of releases", _past(store), lambda _: _STEADY),
        Part("the freezes", _freezes(environments), lambda _: _SELDOM),
    ]


def _busy(seen: Seen, environment: str = "") -> bool:
    return any(one.held is not None and environment in ("", one.environment) for one in seen.locks)


def _region(environment: Environment, region: Region, count: int) -> Part:
    """One region's slots, pods and weights. It never fails as a part: what does not answer is told in its row."""
    settings = load.settings()
    kubeconfig, app = settings.kubeconfig.expanduser(), settings.application.name

    async def look(_: Seen) -> Change:
        try:
            async with (
                asyncio.timeout(_TIMEOUT),
                Cluster(
                    kubeconfig, region.context, region.namespace, switch=region.traffic, timeout=_TIMEOUT
                ) as cluster,
            ):
                state, problem = await cluster.observe(app, region.name), ""
        except (TidegateError, TimeoutError) as error:
            state, problem = None, error.what if isinstance(error, TidegateError) else "it did not answer in time."
        at = datetime.now(UTC).timestamp()

        def change(seen: Seen) -> Seen:
            def one(old: SeenRegion) -> SeenRegion:
                if (old.environment, old.region) != (environment.name, region.name):
                    return old
                new = replace(old, problem=problem)
                return new if state is None else replace(new, state=state, at=at)

            return replace(seen, regions=tuple(map(one, seen.regions)))

        return change

    def every(seen: Seen) -> float:
        usual = _OFTEN if _busy(seen, environment.name) else _STEADY
        return max(usual, count / _REGIONS_A_SECOND)

    return Part(f"{environment.name} {region.name}", look, every)


def _lock(environment: Environment) -> Part:
    settings, region = load.settings(), next(iter(environment.regions.values()))
    kubeconfig, app = settings.kubeconfig.expanduser(), settings.application.name

    async def look(_: Seen) -> Change:
        async with Lock(kubeconfig, region.context, region.namespace, app, timeout=_TIMEOUT) as lock:
            found = await lock.read()
        new = SeenLock(environment.name, found.held, found.now)
        return lambda seen: replace(
            seen, locks=tuple(new if one.environment == environment.name else one for one in seen.locks)
        )

    return Part(f"the lock of {environment.name}", look, lambda _: _OFTEN)


def _past(store: Store) -> Look:
    history, releases = History(store), Releases(store)
    known: dict[str, tuple[int, Measured, Mapping[str, Past], datetime]] = {}

    async def look(seen: Seen) -> Change:
        past, count = await history.find(Wanted(), limit=_NEWEST)
        now = datetime.now(UTC)
        kept = known.get("")
        # Rows are never changed: as many rows are the same rows.
        if kept is None or kept[0] != count or now - kept[3] > timedelta(hours=1):
            known[""] = kept = (count, await _measured(releases, now), await history.deployed(), now)
        actors = await history.actors(_live_runs(seen))
        _, measured, deployed, _ = kept
        return lambda old: replace(
            old, past=past, count=count, measured=measured, deployed=deployed, actors={**old.actors, **actors}
        )

    return look


def _live_runs(seen: Seen) -> set[str]:
    """The runs that made live what is live, as far as nobody told yet who started them."""
    routes = [one.state.route for one in seen.regions if one.state is not None]
    return {route.live.run for route in routes if route is not None and route.live is not None} - seen.actors.keys()


async def _measured(releases: Releases, now: datetime) -> Measured:
    """Of production, as DORA means it."""
    weeks = [now - timedelta(weeks=number) for number in range(_WEEKS, -1, -1)]
    found = await releases.deployments("production", weeks[0])
    month = timedelta(days=_DAYS)
    by_week = [measures(found, since, until) for since, until in pairwise(weeks)]
    return Measured(measures(found, now - month, now), measures(found, now - 2 * month, now - month), tuple(by_week))


def _freezes(environments: Sequence[Environment]) -> Look:
    async def look(_: Seen) -> Change:
        now = datetime.now(UTC)
        found = tuple(
            SeenFreeze(each.name, freeze.name, begin.timestamp(), end.timestamp())
            for each in environments
            for freeze, begin, end in ahead(each.gates.freezes, now, now + _AHEAD)
        )
        return lambda seen: replace(seen, freezes=found)

    return look
