"""How fast the sandbox is: its control plane's start, and Helm's own wait for ten replicas in one region.

The bounds are those that a release tool needs to be tried without patience: 4 s, 550 MB, 1 s. `RUNS` of each (9).
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.world import APP, World
from clients.helm_command import SPEED
from clients.process import run
from config import load
from release import names, values
from release.environment import Region
from release.model import Artifact
from sandbox.controlplane.build import Binaries, ensure
from sandbox.controlplane.run import ControlPlane
from tasks import context

RUNS = int(os.environ.get("RUNS", "9"))
SETTLED_WITHIN_S = 60
MOST_START_S, MOST_MB, MOST_UPGRADE_S = 4.0, 550.0, 1.0
_ENV = {**os.environ, **SPEED}


async def start(binaries: Binaries) -> tuple[float, float]:
    """Seconds until a control plane on new data is ready, and its megabytes then."""
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as folder:
        plane, began = ControlPlane(Path(folder), binaries), time.monotonic()
        await plane.start()
        took, size = time.monotonic() - began, sum(_megabytes(pid) for pid in plane.pids.values())
        await plane.stop()
    return took, size


def _megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


async def helm(*words: str, stdin: bytes | None = None) -> float:
    """Seconds that the command took. Raises RuntimeError with what it said when it failed."""
    settings, began = load.settings(), time.monotonic()
    argv = [settings.helm, *words, "--kubeconfig", str(settings.kubeconfig)]
    done = await run(argv, env=_ENV, stdin=stdin, timeout=120)
    if done.code:
        raise RuntimeError(done.stderr)
    return time.monotonic() - began


async def upgrade(region: Region, artifact: Artifact) -> float:
    """Seconds of `helm upgrade --wait` of the live slot to ten replicas of the artifact, where nothing else goes on.

    Like Tidegate it leaves the check of the manifests to the API server, and garbage to the end (`SPEED`).

    The pods of the upgrade before have ended: their ends would be measured with it.
    """
    await _settled(region)
    environment, settings = load.environment("production"), load.settings()
    plain = values.with_replicas(values.of_slot(environment, region, APP, "blue"), 10)
    given = values.with_image(plain, settings.application.image, artifact)
    words = (
        "upgrade",
        "--install",
        "--disable-openapi-validation",
        names.slot_release(APP, "blue"),
        str(context.chart(None)),
        "--values",
        "-",
    )
    where = ("--kube-context", region.context, "--namespace", region.namespace)
    return await helm(*words, *where, "--wait", "--timeout", "60s", stdin=json.dumps(given).encode())


async def _settled(region: Region) -> None:
    async with context.cluster(region) as cluster:
        for _ in range(SETTLED_WITHIN_S):
            if not any(pod.terminating for pod in (await cluster.observe(APP, region.name)).blue.pods):
                return
            await asyncio.sleep(1)
    raise RuntimeError(f"pods of the upgrade before still end after {SETTLED_WITHIN_S} s")


async def artifacts(world: World) -> list[Artifact]:
    """Two versions that staging built."""
    tags = await world.bring_live(({}, {}))
    async with await context.registry() as registry:
        made = [await registry.manifest(f"staging-{tag.removeprefix('v')}") for tag in tags]
    return [Artifact(tag.removeprefix("v"), one.digest, "") for tag, one in zip(tags, made, strict=True) if one]


def show(name: str, seconds: Sequence[float], most: float, floor: float) -> bool:
    """Median, range and ratio to the floor; whether the median is within its bound."""
    median = statistics.median(seconds)
    print(f"{name}: median {median:.2f} s ({min(seconds):.2f} to {max(seconds):.2f}), {median / floor:.0f} times the")
    print(f"  start of a helm process ({floor * 1000:.0f} ms); bound {most:g} s{'' if median <= most else ': MISSED'}")
    return median <= most


async def main() -> int:
    binaries = await ensure(load.cache(), print)
    starts = [await start(binaries) for _ in range(3)]
    async with World(speed=1, regions=1, users=5) as world:
        floor = statistics.median([await helm("version") for _ in range(RUNS)])
        region, two = next(iter(world.regions().values())), await artifacts(world)
        took = [await upgrade(region, two[(number + 1) % 2]) for number in range(RUNS)]
    most = max(size for _, size in starts)
    print(f"control plane: {most:.0f} MB at most; bound {MOST_MB:.0f} MB{'' if most <= MOST_MB else ': MISSED'}")
    kept = show("control plane ready", [seconds for seconds, _ in starts], MOST_START_S, floor)
    kept = show("helm upgrade --wait of ten replicas", took, MOST_UPGRADE_S, floor) and kept
    return 0 if kept and most <= MOST_MB else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
