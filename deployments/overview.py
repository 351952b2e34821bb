"""What is live where and what is under way, read from the clusters and the Prefect server: never from memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from clients.prefect_runs import Run
from config import load
from deployments import prefectapi
from deployments.views import ApprovalView, LockView, Overview, RegionView, SlotView
from release import health
from release.environment import Environment, Region
from release.errors import TidegateError
from release.locking import Held
from release.model import RegionState, SlotState
from tasks import context

if TYPE_CHECKING:
    from clients.ballots import Asked
    from release.gates_votes import Vote

# Every pipeline that a person or an event starts.
PIPELINES = ("development", "staging", "production", "hotfix", "rollback", "guard", "retire")
_UNDER_WAY = ("RUNNING", "PENDING", "SCHEDULED", "PAUSED", "CANCELLING")
_SOME = 20


async def read(environments: Sequence[Environment]) -> Overview:
    """As it is now; a region or a Prefect server that does not answer is said, and the rest is told."""
    pairs = [(each, region) for each in environments for region in each.regions.values()]
    regions, locks, (runs, silent), (approvals, mute) = await asyncio.gather(
        asyncio.gather(*(_region(*pair) for pair in pairs)),
        asyncio.gather(*(_lock(each) for each in environments)),
        _runs(),
        _approvals(),
    )
    waiting = tuple(run for run in runs if run.type in ("PAUSED", "SCHEDULED"))
    running = tuple(run for run in runs if run not in waiting)
    held = tuple(lock for lock in locks if lock is not None)
    why = " ".join(part for part in (silent, mute) if part)
    return Overview(load.settings().target, tuple(regions), held, running, waiting, approvals, why)


async def _runs() -> tuple[tuple[Run, ...], str]:
    try:
        async with prefectapi.runs() as found:
            return await found.newest(PIPELINES, _SOME, types=_UNDER_WAY), ""
    except TidegateError as error:
        return (), str(error)


async def _approvals() -> tuple[tuple[ApprovalView, ...], str]:
    from clients.ballots import Ballots

    try:
        store = await context.store()
        if store is None:
            return (), ""
        async with store:
            ballots = Ballots(store)
            waiting = await ballots.waiting()
            votes = [await ballots.votes(one.bound.key) for one in waiting]
    except TidegateError as error:
        return (), str(error)
    return tuple(_approval(one, cast) for one, cast in zip(waiting, votes, strict=True)), ""


def _approval(asked: Asked, votes: Sequence[Vote]) -> ApprovalView:
    approved = tuple(dict.fromkeys(one.person for one in votes if one.decision == "approve"))
    facts = (asked.run, asked.what, asked.environment, asked.requester, asked.needed)
    return ApprovalView(*facts, approved, asked.waiting)


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
