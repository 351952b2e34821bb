"""The gates and the lock before a pipeline's first effect: the gates hold neither lock nor process while they wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from config import load
from flows.asking import Asking, asks, bound_now, over
from flows.passage import through
from release import gates_messages
from release.environment import Environment
from release.errors import TidegateError
from release.gates_votes import Bound, moved
from tasks.lock import Grip, held, left_recovering
from tasks.say import say

__all__ = ["Asking", "gated", "require_possible"]


def require_possible(environment: Environment, break_glass: str | None = None) -> None:
    """Raises Refused before anything is done, where the gates could never open: no people, no database."""
    settings = load.settings()
    store, broken = settings.database is not None, bool(break_glass)
    gates_messages.require_possible(environment.gates, settings.persons, store=store, broken=broken)


@asynccontextmanager
async def gated(
    asking: Asking, what: str, *, wait: bool, still: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[Grip]:
    """Pass the gates, then hold the lock as `tasks.lock.held`; what the approvals bound is compared again under it.

    A release that died while it went back passes at once: nothing may keep it from that. `still` is asked once more
    after the gates, and raises when there is no reason left to go on.
    """
    began = False
    try:
        while not began:
            shut = asks(asking) and not await left_recovering(asking.environment, what)
            bound = await through(asking) if shut else None
            if shut and still is not None:
                await still()
            async with held(asking.environment, asking.actor, what, wait=wait, still=still) as grip:
                why = await _moved(asking, bound)
                if grip.recovering or not why:
                    began = True
                    yield grip
            if not began:
                say(f"another release came between: {why}; it goes back to its gates", warn=True)
    except TidegateError:
        if began and asks(asking):
            await over(asking)
        raise
    if asks(asking):
        await over(asking)


async def _moved(asking: Asking, bound: Bound | None) -> str:
    """Why the approvals no longer count, now that the lock is won; empty where they do."""
    if bound is None or not asking.environment.gates.approvals:
        return ""
    return moved(bound, await bound_now(asking))
