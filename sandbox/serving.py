"""`tidegate serve --worker` as a part of the sandbox: runs by GitHub's webhooks, known by its command line only."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import httpx

from sandbox.child import Child

CHECKOUT = Path(__file__).resolve().parent.parent
# It imports Prefect four times and registers every deployment, on a machine that starts all the rest.
_READY_S = 240.0


class Serving:
    """The service, a worker and the deployments of `prefect.yaml`, for the settings of `home`."""

    def __init__(self, home: Path, logs: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        command = (sys.executable, "-m", "deployments.cli", "serve", "--worker")
        environment = {**os.environ, "TIDEGATE_HOME": str(home)}
        self._child = Child("serve", command, logs / "serve.log", environment, CHECKOUT)

    @property
    def pid(self) -> int | None:
        return self._child.pid

    async def start(self) -> None:
        """Webhooks start runs when it returns. Raises Unavailable with the end of its log."""
        await self._child.start()
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http, asyncio.timeout(_READY_S):
            while not await self._answers(http):
                self._child.check()
                await asyncio.sleep(0.2)

    def check(self) -> None:
        """Raises Unavailable when it has ended; before the start there is nothing to check."""
        if self.pid is not None:
            self._child.check()

    async def stop(self) -> None:
        await self._child.stop(grace=25)

    async def _answers(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.url}/readyz")).is_success
        except httpx.TransportError:
            return False
