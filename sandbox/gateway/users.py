"""The simulated users: they arrive at a set rate and take the same way as a request on a socket."""

from __future__ import annotations

import asyncio
import random
from typing import Literal

from sandbox.gateway.model import EntryPoint, Reply, Request
from sandbox.gateway.traffic import Traffic

TICK = 0.025
# An answer this quick is counted at once: a timer for each user costs more than it tells.
AT_ONCE = 0.05
# After a pause of the process, at most this much of what was missed is caught up.
BACKLOG = 1.0

Arrivals = Literal["even", "poisson"]


class Users:
    """Users of every region's `web` entry point, from the moment it has a route.

    `rate` is a second and region, and `rates` overrides it by region (0: nobody); both are multiplied by the
    world's speed. `patience` is in seconds: a user who waits longer leaves (499).
    """

    def __init__(
        self,
        traffic: Traffic,
        *,
        rate: float = 50.0,
        arrivals: Arrivals = "even",
        patience: float = 10.0,
        seed: int | None = None,
    ) -> None:
        self.rate, self.arrivals, self.patience = rate, arrivals, patience
        self.rates: dict[str, float] = {}
        self._traffic = traffic
        self._random = random.Random(seed)  # noqa: S311 (a simulation, no secret)
        self._next: dict[int, float] = {}

    def set_rate(self, rate: float, region: str | None = None) -> None:
        """From now on `rate` users a second (times the speed) in `region`, or everywhere."""
        if region is None:
            self.rate = rate
            self.rates.clear()
        else:
            self.rates[region] = rate

    async def run(self) -> None:
        """Arrive until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self.tick(loop.time())
            await asyncio.sleep(TICK)

    def tick(self, now: float) -> int:
        """Let arrive who is due at `now` (seconds, any origin); how many."""
        arrived = 0
        for entry in tuple(self._traffic.entries.values()):
            if entry.name == "web" and (entry.rules or entry.port in self._next):
                arrived += self._arrive(entry, now)
        return arrived

    def _arrive(self, entry: EntryPoint, now: float) -> int:
        rate = self.rates.get(entry.region, self.rate) * self._traffic.world.speed
        due = max(self._next.get(entry.port, now), now - BACKLOG)
        request, arrived = visit(entry), 0
        while due <= now and rate > 0:
            self._visit(entry, request)
            arrived += 1
            due += 1 / rate if self.arrivals == "even" else self._random.expovariate(rate)
        # A rate that was raised must not wait for the slow rate's next user.
        self._next[entry.port] = min(due, now + 1 / rate) if rate > 0 and self.arrivals == "even" else due
        return arrived

    def _visit(self, entry: EntryPoint, request: Request) -> None:
        traffic = self._traffic
        reply = traffic.arrive(entry, request)
        seconds = reply.answer.seconds
        if seconds < AT_ONCE:
            traffic.finish(entry, request, reply, reply.answer.status, seconds, user=True)
        else:
            wait = min(seconds, self.patience)
            asyncio.get_running_loop().call_later(wait, self._end, entry, request, reply)

    def _end(self, entry: EntryPoint, request: Request, reply: Reply) -> None:
        seconds = reply.answer.seconds
        if seconds > self.patience:
            self._traffic.leave(entry, request, reply, self.patience, user=True)
        else:
            self._traffic.finish(entry, request, reply, reply.answer.status, seconds, user=True)


def visit(entry: EntryPoint) -> Request:
    """A user's request: the front page, by the name that the site has."""
    host = next((host for rule in entry.rules for host in rule.hosts), "")
    return Request(host=host.replace("*.", "www.", 1))
