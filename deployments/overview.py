"""What is live where and what is under way, read from the clusters and the Prefect server: never from memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from clients.prefect_runs import Run
from config import load
from deployments import prefectapi
from release import health
from release.environment import Environment, Region
from release.errors import TidegateError
from release.locking import Held
from release.model import RegionState, SlotState
from tasks import context

# Every pipeline that a person or an event starts.
PIPELINES = ("development", "staging", "production", "hotfix", "rollback", "guard", "retire")
_UNDER_WAY = ("RUNNING", "PENDING", "SCHEDULED", "PAUSED", "CANCELLING")
_SOME = 20


@dataclass(frozen=True, slots=True)
class SlotView:
    """One slot as a person wants to see it; `helm` is the status and revision of its release."""

    version: str = ""
    ready: int = 0
    pods: int = 0
    helm: str = ""


@dataclass(frozen=True, slots=True)
class RegionView:
    """One region: `version` and `digest` are what serves, `weights` the shares of blue and green in percent."""

    environment: str
    region: str
    address: str
    version: str = ""
    digest: str = ""
    ready: int = 0
    since: str = ""
    weights: str = ""
    slots: dict[str, SlotView] = field(default_factory=dict)
    kept_until: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class LockView:
    """Who holds an environment's lock; `orders` are what people told the release to do."""

    environment: str
    what: str
    who: str
    run: str
    note: str = ""
    lapsed: bool = False
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it. `waiting` are runs that wait for people or for their time; `silent` says why runs are not known."""

    target: str
    regions: tuple[RegionView, ...]
    locks: tuple[LockView, ...]
    running: tuple[Run, ...] = ()
    waiting: tuple[Run, ...] = ()
    silent: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


async def read(environments: Sequence[Environment]) -> Overview:
    """As it is now; a region or a Prefect server that does not answer is said, and the rest is told."""
    pairs = [(each, region) for each in environments for region in each.regions.values()]
    regions, locks, (runs, silent) = await asyncio.gather(
        asyncio.gather(*(_region(*pair) for pair in pairs)),
        asyncio.gather(*(_lock(each) for each in environments)),
        _runs(),
    )
    waiting = tuple(run for run in runs if run.type in ("PAUSED", "SCHEDULED"))
    running = tuple(run for run in runs if run not in waiting)
    held = tuple(lock for lock in locks if lock is not None)
    return Overview(load.settings().target, tuple(regions), held, running, waiting, silent)


async def _runs() -> tuple[tuple[Run, ...], str]:
    try:
        async with prefectapi.runs() as found:
            return await found.newest(PIPELINES, _SOME, types=_UNDER_WAY), ""
    except TidegateError as error:
        return (), str(error)


async def _lock(environment: Environment) -> LockView | None:
    """The environment's lock, which is kept in its first region."""
    try:
        async with context.lock(next(iter(environment.regions.values()))) as lock:
            state = await lock.read()
    except TidegateError:
        return None  # that region's row says why
    return None if state.held is None else _held(environment.name, state.held, state.now)


def _held(environment: str, held: Held, now: float) -> LockView:
    orders = tuple(f"{one.what} by {one.who}{': ' + one.reason if one.reason else ''}" for one in held.orders)
    holder = held.holder
    return LockView(environment, holder.what, holder.who, holder.run, holder.note, now >= held.lapses, orders)


async def _region(environment: Environment, region: Region) -> RegionView:
    try:
        async with context.cluster(region) as cluster:
            state = await cluster.observe(load.settings().application.name, region.name)
    except TidegateError as error:
        return RegionView(environment.name, region.name, region.address, note=str(error))
    return _view(environment, region, state)


def _view(environment: Environment, region: Region, state: RegionState) -> RegionView:
    route, pods = state.route, state.slot(state.live_slot).pods
    digests = sorted(health.ready_digests(pods))
    live = route.live if route else None
    note = "" if live or not pods else "never verified"
    if live and digests != [live.artifact.digest]:
        note = "the Ready pods are not what was recorded: " + (", ".join(d[:19] for d in digests) or "none")
    return RegionView(
        environment=environment.name,
        region=region.name,
        address=region.address,
        version=live.artifact.version if live else "",
        digest=digests[0] if len(digests) == 1 else "",
        ready=sum(pod.ready and not pod.terminating for pod in pods),
        since=live.at if live else "",
        weights=f"{route.blue}/{route.green}" if route else "",
        slots={slot.slot: _slot(slot) for slot in (state.blue, state.green) if slot.release or slot.pods},
        kept_until=route.retire.due if route and route.retire else "",
        note=note,
    )


def _slot(slot: SlotState) -> SlotView:
    helm = slot.release
    ready = sum(pod.ready and not pod.terminating for pod in slot.pods)
    told = f"{helm.status}, revision {helm.revision}" if helm else "none"
    return SlotView(helm.version if helm else "", ready, len(slot.pods), told)
