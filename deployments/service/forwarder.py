"""What was delivered becomes runs: each once, in the order in which they came, as soon as Prefect answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from clients.deliveries import Deliveries, Delivery
from clients.prefect_api import FlowRun, NotAccepted, PrefectApi
from release import messages
from release.errors import TidegateError
from release.runs import AWAITING, TIMER

_LONGEST_PAUSE_S = 15.0
_FIRST_PAUSE_S = 0.5
# Deliveries that another process of the service kept are found by looking.
_LOOK_EVERY_S = 5.0
# What crashes again and again before it begins is not tried for ever.
_REVIVED_WITHIN_S = 600.0

Tell = Callable[[str], Awaitable[None]]

log = logging.getLogger("tidegate.service")


class Forwarder:
    """Turns kept deliveries into runs. Several may work on one database: a delivery's id makes its run the only one.

    `tell` is called with what people are told of deliveries that Prefect does not accept.
    """

    def __init__(self, deliveries: Deliveries, prefect: PrefectApi, tell: Tell) -> None:
        self._deliveries, self._prefect, self._tell = deliveries, prefect, tell
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is something new."""
        self._wake.set()

    async def run(self) -> None:
        """For ever; it bears the database and Prefect being away, and Prefect not letting us in."""
        pause = _FIRST_PAUSE_S
        while True:
            self._wake.clear()
            try:
                left = await self.forward()
            except TidegateError as error:
                log.warning("nothing is forwarded: %s", error)
                left = True
            if left:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
                continue
            pause = _FIRST_PAUSE_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _LOOK_EVERY_S)

    async def forward(self) -> bool:
        """Start whatever waits; whether something is left that may start later.

        Raises Unavailable, and Refused where Prefect does not let us in: what is left waits on.
        """
        left = False
        refused: list[tuple[str, str, str]] = []
        try:
            for delivery in await self._deliveries.waiting():
                left = not await self._start(delivery, refused) or left
        finally:
            if refused:
                await self._tell(messages.not_accepted(refused))
        await self._revive()
        return left

    async def _revive(self) -> None:
        """A run whose process died before its flow began lost nothing but time: it goes back into the queue."""
        for run in await self._prefect.read(await self._deliveries.lately(time.time() - _REVIVED_WITHIN_S)):
            if run.kind == "CRASHED" and not run.begun:
                await self._prefect.put(run, "SCHEDULED", "queued again: its process died before it began")
                log.warning("run %s is queued again: its process died before it began", run.id)

    async def _start(self, delivery: Delivery, refused: list[tuple[str, str, str]]) -> bool:
        deployment = await self._prefect.deployment(delivery.pipeline)
        if deployment is None:
            log.warning("%s is not registered: `prefect --no-prompt deploy --all` does it", delivery.pipeline)
            return False
        await self._supersede(delivery)
        tags = ("github", delivery.event)
        try:
            run = await self._prefect.create(deployment, delivery.parameters, key=f"github-{delivery.id}", tags=tags)
        except NotAccepted as error:
            log.error("delivery %s starts nothing: %s", delivery.id, error)  # noqa: TRY400 - no traceback for people
            await self._deliveries.refused(delivery, str(error))
            refused.append((delivery.pipeline, delivery.id, error.what))
            return True
        await self._deliveries.started(delivery, run.id, time.time())
        log.info("delivery %s started %s, run %s", delivery.id, delivery.pipeline, run.id)
        return True

    async def _supersede(self, delivery: Delivery) -> None:
        """Runs of its line that wait give way, in the queue or at their gates; one that is at work is left alone."""
        for run in await self._prefect.read(await self._deliveries.before(delivery)):
            if _waits(run):
                await self._prefect.cancel(run, f"superseded by a newer push (delivery {delivery.id})")
                log.info("run %s is superseded", run.id)


def _waits(run: FlowRun) -> bool:
    return run.queued or (run.state in (AWAITING, TIMER) and not run.ended)
