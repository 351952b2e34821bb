"""What is live in a region is held against absolute limits: after a hotfix, between waves, in the rollback window."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from math import inf

from release.environment import Environment, Region
from release.errors import Failed
from release.verdict import Kind, Limit, Verdict, start_watch, watch
from tasks import metrics, stop
from tasks.say import say


async def verdicts(
    where: Environment, region: Region, limits: Sequence[Limit], seconds: float = inf
) -> AsyncGenerator[Verdict]:
    """What each poll finds, for ever; ADVANCE once `seconds` had data. Pages once where nothing is known for long.

    All of the region's users count, whichever slot they reach. Raises Refused where no address is configured.
    """
    state, paged = start_watch(*limits, seconds=seconds, policy=where.judged.policy), False
    async with metrics.reader(region, where.judged.provider) as read:
        while True:
            state, found = watch(state, await read("green", "blue"), time.monotonic())
            if found.finding.page and not paged:
                paged = True
                await read.page(found.sentence)
            yield found
            await asyncio.sleep(where.judged.poll)


async def watch_absolute(where: Environment, region: Region, limits: Sequence[Limit], seconds: float) -> str:
    """Hold what is live in the region against limits until `seconds` had data; what was seen, as a sentence.

    Raises Failed above one. Metrics that do not answer, and users who do not come, are no health: it goes on until
    they do, or, when the time is over, until a person promotes the release.
    """
    ends = time.monotonic() + seconds
    async with aclosing(verdicts(where, region, limits, seconds)) as looks:
        async for found in looks:
            stop.check(region.name)
            if found.action is Kind.ROLLBACK:
                raise Failed(found.sentence, region=region.name, next_step="Mend the version, and try it in staging.")
            promoted = time.monotonic() >= ends and stop.promoted() is not None
            if promoted or found.action is Kind.ADVANCE:
                say(found.sentence, region=region.name)
                return found.sentence
    raise AssertionError("it is watched until it is decided")
