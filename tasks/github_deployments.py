"""A region's deployments at GitHub. Nothing waits for GitHub while a region is being changed: what it could not be told
then, it is told at the run's end, in the same order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from prefect import task

from release.errors import TidegateError, Unavailable
from tasks import context
from tasks.say import say

# It takes half a second, which not every run needs.
if TYPE_CHECKING:
    from clients.github import GitHub

State = Literal["success", "failure", "error", "inactive"]
_AT_ONCE = 0.0


@dataclass(frozen=True, slots=True)
class Begun:
    """A deployment that began; `number` is None where GitHub does not know it yet."""

    ref: str
    environment: str
    description: str
    payload: Mapping[str, Any]
    number: int | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How it ended; `address` is where its users are."""

    state: State
    description: str
    address: str


# Environment -> the ends that GitHub does not know yet, oldest first.
Untold = defaultdict[str, list[tuple[Begun, End]]]
_current: ContextVar[Untold | None] = ContextVar("untold", default=None)


def begin() -> None:
    """For a run that begins; its tasks and subflows share what is untold."""
    _current.set(defaultdict(list))


def _untold(environment: str) -> list[tuple[Begun, End]]:
    found = _current.get()
    return [] if found is None else found[environment]


@task(task_run_name="GitHub deployment {environment}")
async def start(ref: str, environment: str, description: str, payload: Mapping[str, Any]) -> Begun:
    """Start a GitHub deployment and set it in progress."""
    begun = Begun(ref, environment, description, payload)
    # A newer deployment than one that is still to be told would look like the older one.
    if _untold(environment):
        return begun
    number = None
    try:
        client = await context.github(_AT_ONCE)
        if client is not None:
            async with client as github:
                number = await _create(github, begun)
                await _status(github, number, "in_progress", description, "")
    except TidegateError as error:
        say(f"GitHub was not told: {error}", warn=True)
    return replace(begun, number=number)


@task(task_run_name="GitHub deployment {begun.environment}: {state}")
async def finish(begun: Begun, state: State, description: str, address: str) -> None:
    """End a GitHub deployment with its address."""
    waiting = _untold(begun.environment)
    waiting.append((begun, End(state, description, address)))
    await _tell(waiting, _AT_ONCE)


async def tell_again() -> None:
    """Once nothing waits for the run any more: tell GitHub how those deployments ended of which it does not know."""
    await asyncio.gather(*(_tell(waiting) for waiting in (_current.get() or {}).values()))


async def _tell(waiting: list[tuple[Begun, End]], patience: float | None = None) -> None:
    """What is untold of an environment, in its order, until GitHub cannot be told."""
    while waiting:
        begun, end = waiting[0]
        try:
            client = await context.github(patience)
            if client is not None:
                async with client as github:
                    number = begun.number or await _number(github, begun)
                    await _status(github, number, end.state, end.description, end.address)
        except Unavailable as error:
            say(f"GitHub was not told: {error}", warn=True)
            return
        except TidegateError as error:  # it would say no again
            say(f"GitHub was not told: {error}", warn=True)
        waiting.pop(0)


@task(task_run_name="GitHub deployment {environment} of run {run}")
async def settle(ref: str, environment: str, run: str, description: str, address: str) -> None:
    """End with success what a dead run left in progress, if it did."""
    await _change(ref, environment, {"run": run}, ("in_progress",), End("success", description, address))


@task(task_run_name="GitHub deployment {environment}: taken back")
async def retire(ref: str, environment: str, digest: str, description: str) -> None:
    """Set inactive what a version that was taken back left there, whichever run brought it.

    GitHub does so by itself after a later success, but never in a production environment.
    """
    end = End("inactive", description, "")
    await _change(ref, environment, {"digest": digest}, ("in_progress", "success"), end, _AT_ONCE)


async def _change(
    ref: str,
    environment: str,
    payload: Mapping[str, str],
    states: Sequence[str],
    end: End,
    patience: float | None = None,
) -> None:
    """Give that end to the commit's deployments which have this in their payload and are in one of the states."""
    try:
        client = await context.github(patience)
        if client is None:
            return
        async with client as github:
            for one in await github.deployments(environment, ref=ref):
                if payload.items() <= one.payload.items() and await github.deployment_state(one.id) in states:
                    await _status(github, one.id, end.state, end.description, end.address)
    except TidegateError as error:
        say(f"GitHub was not told: {error}", warn=True)


async def _number(github: GitHub, begun: Begun) -> int:
    """A deployment that GitHub was not told of, unless only its answer was lost."""
    for one in await github.deployments(begun.environment, ref=begun.ref):
        if one.payload == begun.payload:
            return one.id
    return await _create(github, begun)


async def _create(github: GitHub, begun: Begun) -> int:
    production = begun.environment.startswith("production")
    return await github.create_deployment(
        begun.ref, begun.environment, begun.description, production=production, payload=begun.payload
    )


async def _status(
    github: GitHub, number: int, state: State | Literal["in_progress"], description: str, address: str
) -> None:
    await github.deployment_status(
        number, state, description=description, environment_url=address, log_url=context.run_url()
    )
