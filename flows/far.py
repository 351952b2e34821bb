"""A release's side of the work that is done beside a region's cluster: a run in that region's own work queue."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from flows.lockstep import Lockstep
from release.environment import Environment
from release.errors import Spared, TidegateError, Unavailable
from release.model import Artifact
from release.outcome import RegionResult
from release.relay import Do, Said, Told, queue
from release.versions import shown
from tasks import elsewhere, relay, stop
from tasks.elsewhere import Gone
from tasks.relay import Line
from tasks.say import say

POOL = "tidegate-regions"
# What changes nothing that a second run could be at, too.
_ASKS: tuple[Do, ...] = ("check",)
_PULSE = 0.5
# How long a worker may take to begin it, and how often the release asks whether the run still lives.
_BEGINS = 90.0
_ASK = 2.0
# It says something every few seconds while it lives.
_SILENCE = 60.0
# For what is asked before there is a lock.
_UNLOCKED = 900.0


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be done there. `config` is the hash of the chart values, by which both sides know that they read the
    same configuration; `branch` is a hotfix's; `together` takes a canary's steps with the wave's other regions."""

    do: Do
    environment: Environment
    region: str
    artifact: Artifact
    strategy: str = "rolling"
    config: str = ""
    branch: str = ""
    together: Lockstep | None = None


async def send(errand: Errand) -> RegionResult:
    """Have it done and return what it came to. Raises what was raised there; Spared where nobody does it.

    A run whose machine is lost is begun once more, when the time until which it could act has passed.
    """
    for _ in range(2):
        orders, words = await relay.begin(errand.region, _told(errand))
        run = await _begin(errand, orders, words)
        try:
            said = await _follow(errand, run, Line(Told, orders), Line(Said, words))
        except Gone as gone:
            await elsewhere.cancel(run)
            say(f"its run ended without a word: {gone}", region=errand.region, warn=True)
            # Should it live after all, it stops when what it was told last has lapsed.
            if errand.do not in _ASKS:
                await asyncio.sleep(max(0.0, _told(errand).lapses - time.time()))
        except BaseException:
            await asyncio.shield(elsewhere.cancel(run))
            raise
        else:
            return _ended(errand, said)
    raise _nobody(errand, "its run in its own worker ended twice without a word.")


async def _begin(errand: Errand, orders: UUID, words: UUID) -> UUID:
    artifact = errand.artifact
    parameters = {
        "environment": errand.environment.name,
        "region": errand.region,
        "do": errand.do,
        "version": artifact.version,
        "digest": artifact.digest,
        "commit": artifact.commit,
        "strategy": errand.strategy,
        "config": errand.config,
        "branch": errand.branch,
        "wave": list(errand.together.at) if errand.together else [],
        "orders": str(orders),
        "words": str(words),
    }
    name = f"{errand.region}: {errand.do} {shown(artifact.version)}"
    return await elsewhere.begin(name, queue(errand.environment.name, errand.region), parameters, str(orders))


async def _follow(errand: Errand, run: UUID, orders: Line[Told], words: Line[Said]) -> Said:
    """Pass on what either side says until the region has ended. Raises Gone where it ended without a word."""
    began = asked = heard = time.monotonic()
    last, begun, beat = _told(errand), False, 0
    gone: Gone | None = None
    while True:
        told = _told(errand)
        # The lease alone makes no news until a part of it has passed.
        if replace(told, lapses=0) != replace(last, lapses=0) or told.lapses - last.lapses > 1:
            with suppress(Unavailable):
                await orders.write(told)
                last = told
        with suppress(Unavailable):
            said = await words.read()
            if said.beat != beat:
                beat, heard = said.beat, time.monotonic()
            if said.ended:
                return said
            _heed(errand, said)
        if gone is not None:
            raise gone
        if beat and time.monotonic() - heard > _SILENCE:
            raise Gone(f"nothing heard for {_SILENCE:.0f} s")
        if time.monotonic() - asked > _ASK:
            asked = time.monotonic()
            try:
                begun = await elsewhere.lives(run) or begun
            except Gone as ended:
                # Its last word may have come after the words were read.
                gone = ended
                continue
            if not begun and time.monotonic() - began > _BEGINS:
                raise _nobody(errand, f"no worker began its run within {_BEGINS:.0f} s.")
        await asyncio.sleep(_PULSE)


def _heed(errand: Errand, said: Said) -> None:
    if said.failed and errand.do != "back":
        stop.fail(errand.region)
    if errand.together is not None and said.reached:
        errand.together.note(errand.region, said.reached)


def _ended(errand: Errand, said: Said) -> RegionResult:
    if said.trouble is not None:
        if said.trouble.kind == "Stopped":
            raise stop.Stopped(said.trouble.what, region=errand.region)
        raise said.trouble.error()
    assert said.result is not None
    return said.result


def _told(errand: Errand) -> Told:
    sign = stop.current()
    if sign is None:
        return Told(time.time() + _UNLOCKED)
    weights = errand.together.at if errand.together else {}
    return Told(sign.lapses, sign.reason, sign.lost_lock, sign.steering, weights)


def _nobody(errand: Errand, why: str) -> TidegateError:
    """Nothing was changed by what is only asked; a release that has begun goes back."""
    kind = Unavailable if errand.do in _ASKS else Spared
    command = f"prefect worker start --pool {POOL} --work-queue {queue(errand.environment.name, errand.region)}"
    return kind(why, region=errand.region, next_step=f"See that a worker runs beside its cluster: `{command}`.")
