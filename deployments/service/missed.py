"""What GitHub could not deliver while the service or its database was away is asked for again: GitHub itself does not.

Nothing is believed of GitHub's list but which deliveries to ask for: they come back signed, under their own ids.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clients.deliveries import Deliveries
from config import load
from deployments.service.webhook import PATH
from release import missed
from release.errors import Refused, TidegateError, Unavailable
from release.missed import Missed, Try
from release.triggers import Source, Start, decide
from tasks import context

# Imported where it is needed: githubkit takes half a second.
if TYPE_CHECKING:
    from clients.github_hooks import Hook, Hooks

_LOOK_EVERY_S = 600.0
# GitHub shows a delivery once it has given it up, after ten seconds.
_SHOWN_AFTER_S = 15.0
_AGAIN_AFTER_S = 60.0
# So many at once, and the rest a minute later.
_AT_ONCE = 10

log = logging.getLogger("tidegate.service")


async def hooks() -> Hooks | None:
    """GitHub, not opened yet; None where there is no token and no App. Raises Refused where a secret is missing."""
    settings, access = load.settings(), await context.github_access()
    if access is None:
        return None
    from clients.github_hooks import Hooks

    return Hooks(settings.github.url, access, settings.application.github)


@contextlib.asynccontextmanager
async def finding(deliveries: Deliveries, source: Source) -> AsyncIterator[Finder | None]:
    """A finder as long as the block lasts; None where GitHub cannot be asked: the service does without."""
    github, why = None, "neither github.token nor github.app is set"
    try:
        github = await hooks()
    except Refused as error:
        why = str(error)
    if github is None:
        log.warning("deliveries that are missed are not asked for: %s", why)
        yield None
        return
    async with github:
        yield Finder(deliveries, github, source, await deliveries.since(time.time()))


class Finder:
    """Asks GitHub, over an open client, for the deliveries that are in no database of ours.

    Not for those of before `since` (seconds since the epoch): a service that is new must not start old releases.
    """

    def __init__(self, deliveries: Deliveries, github: Hooks, source: Source, since: float) -> None:
        self._deliveries, self._github, self._source, self._since = deliveries, github, source, since
        self._asked: set[int] = set()
        self._starts: dict[int, Missed | None] = {}
        self._said = ""
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """A delivery could not be kept."""
        self._wake.set()

    async def run(self) -> None:
        """For ever; it bears the database and GitHub being away, and a token that may not see webhooks."""
        while True:
            self._wake.clear()
            pause = await self.turn()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)
                await asyncio.sleep(_SHOWN_AFTER_S)

    async def turn(self) -> float:
        """One look; how many seconds later the next one is due. What is wrong is said once, as long as it stays so."""
        said, self._said = self._said, ""
        try:
            return _AGAIN_AFTER_S if await self.look(time.time()) else _LOOK_EVERY_S
        except TidegateError as error:
            self._said = str(error)
            if self._said != said:
                log.warning("deliveries that were missed are not asked for: %s", error)
            return _AGAIN_AFTER_S if isinstance(error, Unavailable) else _LOOK_EVERY_S

    async def look(self, now: float) -> bool:
        """Ask for what was missed by `now` (seconds since the epoch); whether some is left for the next time."""
        hook = await self._github.find(PATH)
        tries = await self._github.failed(hook, max(now - missed.KEPT_S, self._since))
        known = await self._deliveries.known({one.delivery for one in tries})
        lost = await self._starting(hook, missed.unmade(tries, known, self._asked))
        accepted = await self._deliveries.accepted({one.line for one in lost})
        wanted = missed.again(lost, accepted)
        for one in wanted[:_AT_ONCE]:
            await self._ask(hook, one.last)
        return len(wanted) > _AT_ONCE

    async def _ask(self, hook: Hook, one: Try) -> None:
        try:
            await self._github.redeliver(hook, one.id)
            log.info("delivery %s was missed: GitHub is asked to make it again", one.delivery)
        except Refused as error:
            # It holds up no other one.
            log.warning("delivery %s was missed, and is not made again: %s", one.delivery, error)
        self._asked.add(one.id)

    async def _starting(self, hook: Hook, lost: Sequence[Missed]) -> list[Missed]:
        """Those that start a run, with its line."""
        before, self._starts = self._starts, {}
        for one in lost:
            number = one.last.id
            self._starts[number] = before[number] if number in before else await self._start(hook, one)
        return [one for one in self._starts.values() if one is not None]

    async def _start(self, hook: Hook, one: Missed) -> Missed | None:
        try:
            event, body = await self._github.payload(hook, one.last.id)
        except Refused:
            return one
        found = decide(event, body, self._source)
        if isinstance(found, Start):
            return replace(one, line=found.line)
        # A body that GitHub does not show may start something.
        return None if body else one
