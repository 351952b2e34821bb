"""How long a scrape of `/metrics` takes with 10,000 past releases, on a real PostgreSQL.

python -m benchmarks.scrape [RELEASES] [REGIONS]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from clients.prefect_records import Records
from clients.releases import Releases
from clients.store import Store
from config import load
from deployments.metrics.service import MetricsService
from deployments.postgres import Postgres
from release.finished import Finished, FinishedRegion
from tasks.catchup import SOURCE

STRATEGIES = ("rolling", "blue-green", "canary")
SCRAPES, STARTS = 20, 5
BOUND_MS = 200.0


def past(releases: int, regions: int) -> list[Finished]:
    """So many releases, one every ten minutes, a tenth of them taken back."""
    now = datetime.now(UTC)
    found = []
    for number in range(releases):
        ended, bad = now - timedelta(minutes=10 * number), number % 10 == 0
        word, result = ("recovered", "failure") if bad else ("released", "success")
        found.append(
            Finished(
                run=f"run-{number}",
                attempt=1,
                pipeline="production",
                environment="production",
                strategy=STRATEGIES[number % 3],
                outcome=word,
                asked=ended - timedelta(minutes=20),
                ended=ended,
                seconds=60.0 + number % 3000,
                recovery=5.0 if bad else 0.0,
                committed=(ended - timedelta(days=1),),
                regions=tuple(FinishedRegion(f"region-{each}", result, word) for each in range(regions)),
            )
        )
    return found


async def main(releases: int, regions: int) -> int:
    """Fill, scrape, print; the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder) / "postgres", Path(folder) / "log")
        await server.start()
        try:
            async with Store(server.url) as store, Records("http://127.0.0.1:9/api") as runs:
                table = Releases(store)
                found = past(releases, regions)
                for start in range(0, len(found), 200):
                    await table.add(found[start : start + 200])
                await table.note_caught_up(SOURCE, datetime.now(UTC))
                return await _scrape(store, runs, regions)
        finally:
            await server.stop()


async def _scrape(store: Store, runs: Records, regions: int) -> int:
    """Scrape, print; 1 where a median misses the bound."""
    production = replace(load.environment("production"), regions={f"region-{each}": None for each in range(regions)})

    def started() -> MetricsService:
        found = MetricsService(runs, Releases(store), [production])
        found.started()
        return found

    service, began = started(), time.perf_counter()
    await service.measure()
    print(f"the table and DORA's measures, once a minute: {(time.perf_counter() - began) * 1000:.0f} ms")
    took = {"the first scrape after a start": [await _timed(service)]}
    took["a scrape"] = [await _timed(service) for _ in range(SCRAPES)]
    # Such as another replica's service after a release.
    took["a scrape that reads the whole table"] = [await _timed(started()) for _ in range(STARTS)]
    for what, found in took.items():
        print(f"{what}: median {median(found):.0f} ms, worst {max(found):.0f} ms")
    print(f"{len((await service.answer()).body) / 1000:.0f} kB")
    return int(any(median(found) >= BOUND_MS for found in took.values()))


async def _timed(service: MetricsService) -> float:
    """Milliseconds until it has answered."""
    began = time.perf_counter()
    answer = await service.answer()
    assert answer.status_code == 200, answer.body
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(asyncio.run(main(*(given + [10_000, 3][len(given) :]))))
