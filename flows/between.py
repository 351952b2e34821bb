"""While a release goes on elsewhere, a region that is done is held to the guard's limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

from prefect.logging import get_run_logger

from flows.limit import verdicts
from release.environment import Environment
from release.errors import Failed, TidegateError
from release.verdict import Kind
from tasks.say import say


@asynccontextmanager
async def between(where: Environment, failed: Callable[[Failed], None]) -> AsyncIterator[Callable[[str], None]]:
    """Gives what begins to watch a region, by its name, until the release ends. `failed` hears of one above the limit.

    It can only end a release that is bad: metrics that are away, or a mistake of ours, do nothing to it.
    """
    watching: list[asyncio.Task[None]] = []

    def begin(region: str) -> None:
        # While users are shown that the application is closed, every answer is an error.
        if where.maintenance.mode != "block":
            watching.append(asyncio.create_task(_watch(where, region, failed)))

    try:
        yield begin
    finally:
        for one in watching:
            one.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def _watch(where: Environment, name: str, failed: Callable[[Failed], None]) -> None:
    try:
        async with aclosing(verdicts(where, where.regions[name], [where.guard.absolute])) as looks:
            async for found in looks:
                if found.action is Kind.ROLLBACK:
                    say(found.sentence, region=name, warn=True)
                    failed(Failed(found.sentence, region=name, next_step="Mend the version, and try it in staging."))
                    return
    except TidegateError as error:
        say(f"is not watched while the release goes on elsewhere: {error}", region=name, warn=True)
    except Exception:
        get_run_logger().exception("%s: it is not watched any more", name)
