"""A person's orders to a release under way, by its lock: the command line's and the board's."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from config import load
from deployments import prefectapi
from release import runs
from release.environment import Region
from release.errors import Refused, TidegateError
from release.locking import Holder, recovering
from tasks import context

_WHOLE = 36


@dataclass(frozen=True, slots=True)
class Place:
    """An environment whose lock is held, which is kept in its first region."""

    environment: str
    region: Region
    holder: Holder


@dataclass(frozen=True, slots=True)
class Given:
    """An order that was given to `run`, which is its whole id; `told` is what came of it, as a sentence."""

    run: str
    told: str


async def give(run: str, what: str, who: str, reason: str) -> Given:
    """Tell the run that begins so.

    An order goes to who holds an environment's lock; a run that only waits is ended by an abort. Raises Refused where
    there is no such run, where the beginning is too short, and where several runs begin so.
    """
    runs.require(run)
    places, silent = await _held()
    known = {one.holder.run: f"{one.holder.what}, which holds the lock of {one.environment}" for one in places}
    found = runs.only(run, await _waiting(run) | known)
    place = next((one for one in places if one.holder.run == found), None)
    if place is not None:
        async with context.lock(place.region) as lock:
            held = await lock.order(place.holder.run, what, who, reason)
        return Given(held.holder.run, _told(held.holder, place.environment))
    if silent is not None:
        raise silent
    if what != "abort":
        raise Refused(f"no release {run} is under way.", field="run", next_step="See `tidegate status`.")
    from deployments import stopping

    ended = await stopping.stop(found or run, who, reason)
    return Given(ended.id, f"ended {ended.flow} {ended.name}; it had changed nothing.")


def _told(holder: Holder, environment: str) -> str:
    told = f"told {holder.what} in {environment}."
    if recovering(holder) is None:
        return told
    return f"{told} It is being taken back already and goes on with that: this changes nothing."


async def _held() -> tuple[list[Place], TidegateError | None]:
    """Every lock that is held, and what a region said that does not answer: others are ordered without it."""
    found: list[Place] = []
    silent: TidegateError | None = None
    for name in reversed(load.ENVIRONMENTS):
        region = next(iter(load.environment(name).regions.values()))
        try:
            async with context.lock(region) as lock:
                held = (await lock.read()).held
        except TidegateError as error:
            silent = silent or error
            continue
        if held is not None:
            found.append(Place(name, region, held.holder))
    return found, silent


async def _waiting(beginning: str) -> dict[str, str]:
    """Runs that begin so and have not ended, in words. A Prefect server that is away keeps no order from a release."""
    if len(beginning) >= _WHOLE:
        return {}
    with suppress(TidegateError):
        async with prefectapi.runs() as found:
            fitting = await found.beginning(beginning)
        return {one.id: f"{one.flow} {one.name}, {one.state}" for one in fitting if not one.over}
    return {}
