"""A region's deployments at GitHub. Nothing waits for GitHub while a region is being changed: what it could not be told
then, it is told at the run's end, in the same order, or by a later run."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from prefect import task

from release.errors import TidegateError, Unavailable
from tasks import context, github_ends, github_later
from tasks.github_ends import AT_ONCE, Begun, End, State
from tasks.say import say

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
        client = await context.github(AT_ONCE)
        if client is not None:
            async with client as github:
                number = await github_ends.create(github, begun)
                await github_ends.in_progress(github, number, description)
    except TidegateError as error:
        say(f"GitHub was not told: {error}", warn=True)
    return replace(begun, number=number)


@task(task_run_name="GitHub deployment {begun.environment}: {state}")
async def finish(begun: Begun, state: State, description: str, address: str) -> None:
    """End a GitHub deployment with its address."""
    waiting = _untold(begun.environment)
    waiting.append((begun, End(state, description, address, context.run_url(), time.time())))
    await _tell(waiting, AT_ONCE)


async def tell_again() -> None:
    """Once nothing waits for the run any more: tell GitHub how those deployments ended of which it does not know, and
    leave to a later run what it cannot be told now."""
    await asyncio.gather(*(_tell(waiting) for waiting in (_current.get() or {}).values()))
    await leave()


async def leave() -> None:
    """Leave to a later run how those deployments ended of which GitHub does not know."""
    untold = _current.get()
    if untold:
        await github_later.keep([one for waiting in untold.values() for one in waiting])
        untold.clear()


async def _tell(waiting: list[tuple[Begun, End]], patience: float | None = None) -> None:
    """What is untold of an environment, in its order, until GitHub cannot be told."""
    while waiting:
        begun, end = waiting[0]
        try:
            client = await context.github(patience)
            if client is not None:
                async with client as github:
                    number = await github_ends.known(github, begun) or await github_ends.create(github, begun)
                    await github_ends.ended(github, number, end)
        except Unavailable as error:
            say(f"GitHub was not told: {error}", warn=True)
            return
        except TidegateError as error:  # it would say no again
            say(f"GitHub was not told: {error}", warn=True)
        waiting.pop(0)


@task(task_run_name="GitHub deployment {environment} of run {run}")
async def settle(ref: str, environment: str, run: str, description: str, address: str) -> None:
    """End with success what a dead run left in progress, if it did."""
    await _change(
        ref, environment, {"run": run}, ("in_progress",), End("success", description, address, context.run_url())
    )


@task(task_run_name="GitHub deployment {environment}: taken back")
async def retire(ref: str, environment: str, digest: str, description: str) -> None:
    """Set inactive what a version that was taken back left there, whichever run brought it.

    GitHub does so by itself after a later success, but never in a production environment.
    """
    end = End("inactive", description, "", context.run_url())
    await _change(ref, environment, {"digest": digest}, ("in_progress", "success"), end, AT_ONCE)


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
                    await github_ends.ended(github, one.id, end)
    except TidegateError as error:
        say(f"GitHub was not told: {error}", warn=True)
