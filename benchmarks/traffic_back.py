"""How long users stay with a bad version once that is decided: one write a region, all regions at once.

A canary runs in all regions (`REGIONS`, 3), and is bad in one of them. Timed from the moment of the verdict until each
region's API server has acknowledged its write, beside one bare write of the same kind. `RUNS` releases (5).
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.world import APP, World
from clients.kube import MERGE_PATCH, Kube
from config import load
from release.environment import Region

RUNS, REGIONS = int(os.environ.get("RUNS", "5")), int(os.environ.get("REGIONS", "3"))
SPEED, USERS = 20, 5
BACK = "now has 100 % of the users"
# Decision to traffic back, seconds: the least and the most measured.
OTHERS = (
    ("Argo Rollouts, router plugin as shipped, 8 at once", 3.2, 8.2),
    ("Argo Rollouts, its client limit raised", 0.1, 0.3),
    ("Flagger, after it has asked", 0.05, 0.15),
)


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds from the decision until the first and the last region was written, and how many writes there were."""

    first: float
    last: float
    writes: int


async def bare(regions: Sequence[Region]) -> tuple[float, float]:
    """Seconds (medians) of one write to a route over an open connection, and of one to each region at once."""
    alone, together = [], []
    clients = [Kube(load.settings().kubeconfig, region.context) for region in regions]
    for client in clients:
        await client.__aenter__()
    try:
        for number in range(20):
            alone.append(await _timed([_write(clients[0], regions[0], f"{number}a")]))
            writes = [_write(client, region, f"{number}b") for client, region in zip(clients, regions, strict=True)]
            together.append(await _timed(writes))
    finally:
        for client in clients:
            await client.__aexit__(None, None, None)
    return statistics.median(alone), statistics.median(together)


async def _timed(writes: Sequence[Awaitable[None]]) -> float:
    began = time.perf_counter()
    await asyncio.gather(*writes)
    return time.perf_counter() - began


async def _write(client: Kube, region: Region, value: str) -> None:
    path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{region.namespace}/httproutes/{APP}"
    patch = {"metadata": {"annotations": {"tidegate.dev/measured": value}}}
    await client.send("PATCH", path, body=patch, content_type=MERGE_PATCH)


async def measure(world: World, tag: str, region: str) -> Run:
    """One release of a version that fails every request in one region, from its first user there on."""
    version = tag.removeprefix("v")

    async def fail(rate: float | None) -> None:
        fields = {} if rate is None else {"error_rate": rate}
        await world.control("PUT", "/api/behaviour", {"version": version, "region": region, "fields": fields})

    release = ("release", tag, "--strategy", "canary")
    told = await world.tidegate(*release, when=f"{region}: green now has 10 %", then=partial(fail, 1.0))
    await fail(None)
    told.require("recovered")
    await world.lift(tag)
    (decided, *_) = await world.moments(told.outcome["run"], "ROLLBACK after", "production: recovered")
    lines = await world.lines(told.outcome["run"])
    written = [at - decided for at, line in lines if BACK in line and at > decided]
    return Run(min(written), max(written), len(written))


def show(runs: Sequence[Run], one: float, each: float) -> int:
    """Medians and their ratio to a bare write; 1 where a region was written more than once, or not at all."""
    last = statistics.median(run.last for run in runs)
    print(f"\nbare writes of a route: one {_ms(one)}, one to each of {REGIONS} regions at once {_ms(each)}")
    print(f"decision -> users back in all {REGIONS} regions: median {_ms(last)} = {last / one:.1f} bare writes")
    for name, least, most in OTHERS:
        print(f"  {name}: {least} to {most} s")
    wrong = [run.writes for run in runs if run.writes != REGIONS]
    print(f"writes a region: {'1' if not wrong else f'VIOLATED, {wrong} of {REGIONS} regions'}")
    return 1 if wrong else 0


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def one_wave(regions: Mapping[str, Region]) -> dict[str, object]:
    """All regions take the canary's steps together."""
    return {"waves": [list(regions)], "parallel": len(regions)}


async def main() -> int:
    print(f"{RUNS} releases to {REGIONS} regions at once, bad in one of them; speed {SPEED}")
    async with World(speed=SPEED, regions=REGIONS, users=USERS) as world:
        regions = world.regions()
        world.configure(one_wave(regions))
        _, bad = await world.bring_live(({}, {}))
        runs = []
        for number in range(RUNS):
            run = await measure(world, bad, list(regions)[-1])
            runs.append(run)
            print(f"{number + 1:>3}: first region {_ms(run.first)}, all {_ms(run.last)}", flush=True)
        one, each = await bare(list(regions.values()))
    return show(runs, one, each)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
