"""The sandbox's OCI registry: a real one on loopback that demands credentials."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import httpx
import yaml

from release.errors import Unavailable
from sandbox.child import Child
from sandbox.ports import LOOPBACK, free_port
from sandbox.registry_binary import RegistryBinary, ensure

_READY_S = 15.0
_ATTEMPTS = 3
# The password is random and long, and its hash is checked at every request: the lowest cost is the right one.
_BCRYPT_ROUNDS = 4


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
        self._child: Child | None = None
        self.kind = ""

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    async def start(self) -> RegistryAccess:
        """Start it; returns when it lets the credentials in. Raises Unavailable when it does not come up."""
        binary = await ensure(self._cache, self._say)
        self.kind = binary.kind
        self._folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(_ATTEMPTS):
            port = self._port(again=attempt > 0)
            access = RegistryAccess(f"http://{LOOPBACK}:{port}", self._username, self._password)
            if await self._try(binary, access, port):
                (self._folder / "port").write_text(str(port))
                return access
        raise Unavailable("The registry does not come up.", next_step=f"read {self._log}")

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop()

    def _port(self, *, again: bool) -> int:
        kept = self._folder / "port"
        return int(kept.read_text()) if kept.exists() and not again else free_port()

    async def _try(self, binary: RegistryBinary, access: RegistryAccess, port: int) -> bool:
        argv = [str(binary.path), "serve", str(self._configuration(port))]
        child = self._child = Child("registry", argv, self._log)
        await child.start()
        try:
            if await _answers(child, access):
                return True
        except BaseException:
            await child.stop()
            raise
        await child.stop()
        return False

    def _configuration(self, port: int) -> Path:
        users = self._folder / "htpasswd"
        users.touch(mode=0o600)
        hashed = bcrypt.hashpw(self._password.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS, prefix=b"2a")).decode()
        users.write_text(f"{self._username}:{hashed}\n")
        content = {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self._folder / "data")},
                "delete": {"enabled": True},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": f"{LOOPBACK}:{port}"},
            "auth": {"htpasswd": {"realm": "Tidegate sandbox", "path": str(users)}},
        }
        path = self._folder / "config.yml"
        path.write_text(yaml.safe_dump(content))
        return path


async def _answers(child: Child, access: RegistryAccess) -> bool:
    """Whether it lets the credentials in before the time is up; an alien server on the port would not."""
    until = time.monotonic() + _READY_S
    async with httpx.AsyncClient(auth=(access.username, access.password), trust_env=False) as http:
        while child.alive and time.monotonic() < until:
            try:
                answer = await http.get(f"{access.url}/v2/")
            except httpx.TransportError:
                await asyncio.sleep(0.02)
                continue
            return answer.status_code == httpx.codes.OK and child.alive
    return False
