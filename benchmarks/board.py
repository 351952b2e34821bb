"""How soon the release board is there in a browser: 64 regions and 1,000 past releases, served over loopback.

PYTHONPATH=tests/support:tests/deployments python -m benchmarks.board [LOADS]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from statistics import median

from board_service import service
from board_world import crowded, finished, seen
from chromium import Page
from fastapi import Response
from overuvicorn import served

from clients.releases import Releases

LOADS = 30
BOUND_MS = 100.0
BARE = "/bare"
# From asking for the page until it, its style and its script are there; Chromium's own clock.
TOOK = "(one => one.loadEventEnd - one.startTime)(performance.getEntriesByType('navigation')[0])"


async def loads(address: str, paths: tuple[str, ...], count: int) -> dict[str, list[float]]:
    """Path -> milliseconds of each load, side by side in one browser whose cache is off."""
    took: dict[str, list[float]] = {path: [] for path in paths}
    async with Page() as page:
        await page.look(width=1280, height=900)
        await page.send("Network.enable")
        await page.send("Network.setCacheDisabled", cacheDisabled=True)
        for number in range(count + 1):
            for path in paths:
                await page.go(f"{address}{path}?{number}")
                found = float(await page.until(f"{TOOK} > 0 && {TOOK}"))
                if number:  # the first one warms the browser up
                    took[path].append(found)
    return took


async def main(count: int) -> int:
    """Load, print; 1 where the board or its history misses the bound."""
    with tempfile.TemporaryDirectory() as folder:
        async with service(Path(folder), seen(), every=1.0, open_to_read=True) as there:
            await Releases(there.world.store).add([finished(number) for number in range(1000)])
            await there.show(crowded())
            page = "<!doctype html><title>bare</title><p>bare"
            there.app.add_api_route(BARE, lambda: Response(page, media_type="text/html"))
            async with served(there.app) as address:
                took = await loads(address, (BARE, "/", "/history"), count)
    bare = median(took[BARE])
    for path, found in took.items():
        ratio = "" if path == BARE else f", {median(found) / bare:.1f} bare pages"
        print(f"{path:<9} median {median(found):.0f} ms, worst {max(found):.0f} ms{ratio}")
    return int(any(median(found) >= BOUND_MS for found in took.values()))


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int((sys.argv[1:] or [LOADS])[0]))))
