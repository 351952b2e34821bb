"""How many users' requests fail until a bad canary is off traffic: whole releases, counted by the gateway itself.

One region, speed 1, 50 requests a second, 10 % of them to a version that fails 20 % of its answers, looked at every
second. `RUNS` releases (20). Exits with 1 where the median is above 20.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.world import Counters, Told, World

RUNS = int(os.environ.get("RUNS", "20"))
MOST = 20
RATE, WEIGHT, BAD = 50, 10, 0.2
# Measured beside them, best cases: their metrics answered at once and exactly.
OTHERS = (("Argo Rollouts, its documents' example (60 s, failureLimit 3)", 212), ("Flagger's (1 m, threshold 5)", 321))


@dataclass(frozen=True, slots=True)
class Run:
    """Failing requests in all, until the decision, until the write of the weights; seconds of the first two parts."""

    failed: int
    undecided: int
    unwritten: int
    to_decide: float
    to_write: float


class Course:
    """The count of failing requests over time, read ten times a second."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._seen: list[tuple[float, int]] = []

    async def follow(self) -> None:
        while True:
            self._seen.append((time.time(), await self._counters.failed()))
            await asyncio.sleep(0.1)

    def at(self, moment: float) -> int:
        """The count at that time, or just before."""
        return max((failed for when, failed in self._seen if when <= moment), default=0)


async def measure(world: World, counters: Counters, tag: str) -> Run:
    """One release of the bad version, from before its first user until the gateway has settled after it."""
    before, course = await counters.failed(), Course(counters)
    following = asyncio.create_task(course.follow())
    try:
        told = await _released(world, tag)
        while "smoke-production" in told.outcome["reason"]:
            # Found before it had any user: not what is measured.
            told = await _released(world, tag)
        await asyncio.sleep(1.0)
    finally:
        following.cancel()
    failed = await counters.failed() - before
    parts = (f"now has {WEIGHT} %", "ROLLBACK after", "now has 100 % of the users")
    began, decided, written = await world.moments(told.outcome["run"], *parts)
    return Run(failed, course.at(decided) - before, course.at(written) - before, decided - began, written - decided)


async def _released(world: World, tag: str) -> Told:
    told = (await world.tidegate("release", tag, "--strategy", "canary")).require("recovered")
    await world.lift(tag)
    return told


def show(runs: Sequence[Run]) -> int:
    """The quantiles, beside the others' figures; 1 where the median is too high."""
    counts = sorted(run.failed for run in runs)
    median = statistics.median(counts)
    late = counts[min(len(counts) - 1, int(len(counts) * 0.95))]
    print(f"\nfailing requests: min {counts[0]}, median {median:g}, 95 % {late}, max {counts[-1]}")
    part = statistics.median(run.undecided for run in runs), statistics.median(run.unwritten for run in runs)
    print(f"of them (medians) until the decision {part[0]:g}, until the weights were written {part[1]:g}")
    seconds = statistics.median(run.to_decide for run in runs), statistics.median(run.to_write for run in runs)
    print(f"first user -> decision {seconds[0]:.1f} s, decision -> written {seconds[1]:.2f} s (medians)")
    for name, figure in OTHERS:
        print(f"  {name}: {figure}")
    print(f"at most {MOST} in the median: {'held' if median <= MOST else 'VIOLATED'}")
    return 0 if median <= MOST else 1


async def main() -> int:
    print(f"{RUNS} releases at {RATE} requests a second, {WEIGHT} % to a version with {BAD:.0%} errors; speed 1")
    runs = []
    async with World(speed=1, regions=1, users=RATE) as world:
        (region,) = world.regions().values()
        _, bad = await world.bring_live(({}, {"error-rate": f"{region.name}={BAD}"}))
        counters = Counters(region)
        for number in range(RUNS):
            run = await measure(world, counters, bad)
            runs.append(run)
            print(
                f"{number + 1:>3}: {run.failed:>3} failed; decided after {run.to_decide:.1f} s ({run.undecided}), "
                f"written {run.to_write:.2f} s later ({run.unwritten})",
                flush=True,
            )
        await counters.close()
    return show(runs)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
