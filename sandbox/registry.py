"""The sandbox's OCI registry: a real one on loopback that demands credentials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from release.errors import Unavailable
from sandbox.ports import LOOPBACK, free_port
from sandbox.registry_binary import ensure
from sandbox.registry_run import Process, process

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """`url` is http://127.0.0.1:PORT."""

    url: str
    username: str
    password: str

    @property
    def host(self) -> str:
        """As images name it: 127.0.0.1:PORT."""
        return self.url.removeprefix("http://")


class RegistryServer:
    """A registry with its data in `folder`, its output in `log`, its executable in `cache`.

    It keeps its port from one start to the next where that is free, because deployed images name it.
    """

    def __init__(
        self,
        folder: Path,
        cache: Path,
        log: Path,
        *,
        password: str,
        username: str = "tidegate",
        say: Callable[[str], None] = print,
    ) -> None:
        self._folder = folder
        self._cache = cache
        self._log = log
        self._username = username
        self._password = password
        self._say = say
        self._process: Process | None = None
        self.kind = ""

    @property
    def pid(self) -> int | None:
        return self._process.child.pid if self._process else None

    async def start(self) -> RegistryAccess:
        """Start it; returns when it lets the credentials in. Raises Unavailable when it does not come up."""
        binary = await ensure(self._cache, self._say)
        self.kind = binary.kind
        self._folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(_ATTEMPTS):
            port = self._port(again=attempt > 0)
            access = RegistryAccess(f"http://{LOOPBACK}:{port}", self._username, self._password)
            self._process = process(binary, self._folder, self._log, port, self._username, self._password)
            if await self._comes_up(self._process):
                (self._folder / "port").write_text(str(port))
                return access
        raise Unavailable("The registry does not come up.", next_step=f"read {self._log}")

    async def stop(self) -> None:
        if self._process is not None:
            await self._process.stop()

    def _port(self, *, again: bool) -> int:
        kept = self._folder / "port"
        return int(kept.read_text()) if kept.exists() and not again else free_port()

    async def _comes_up(self, registry: Process) -> bool:
        up = False
        try:
            up = await registry.start()
        finally:
            if not up:
                await registry.stop()
        return up
