"""The Prefect server as a part of the sandbox: a program of its own, known by its command line only."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import httpx

from release.errors import Unavailable
from sandbox import state
from sandbox.child import Child
from sandbox.keptports import KeptPorts

CHECKOUT = Path(__file__).resolve().parent.parent
_READY_S = 120.0


class PrefectServer:
    """The server on `port`, its runs kept in `folder`."""

    def __init__(self, folder: Path, logs: Path, cache: Path, port: int) -> None:
        self.ui = f"http://127.0.0.1:{port}"
        self.api = f"{self.ui}/api"
        # The program writes there the address of Tidegate's own database.
        self.database = folder / "database"
        options = ("--folder", str(folder), "--port", str(port), "--logs", str(logs), "--cache", str(cache))
        command = (sys.executable, "-m", "deployments.server", *options)
        self._child = Child("prefect-server", command, logs / "prefect-server.log", cwd=CHECKOUT)

    @property
    def pid(self) -> int | None:
        return self._child.pid

    async def begin(self) -> None:
        """Start it and do not wait."""
        await self._child.start()

    async def start(self) -> None:
        """Healthy when it returns. Raises Unavailable with the end of its log."""
        await self.begin()
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http, asyncio.timeout(_READY_S):
            while not await self._healthy(http):
                self._child.check()
                await asyncio.sleep(0.1)

    def check(self) -> None:
        """Raises Unavailable when it has ended."""
        self._child.check()

    async def stop(self) -> None:
        await self._child.stop(grace=20)

    async def _healthy(self, http: httpx.AsyncClient) -> bool:
        try:
            answer = await http.get(f"{self.api}/health")
        except httpx.TransportError:
            return False
        if answer.status_code >= 500:
            raise Unavailable("The Prefect server is not healthy.", next_step=f"Read {self._child.log}.")
        return answer.status_code == httpx.codes.OK


def of_home(home: Path, cache: Path) -> PrefectServer:
    """The server of the sandbox in `home`, on the port it had before."""
    folder = state.folder(home)
    return PrefectServer(folder / "prefect", folder / "logs", cache, KeptPorts(folder / "ports.json").port("prefect"))
