"""The two kinds of registry as running processes: distribution by itself, crane behind a front that asks."""

from __future__ import annotations

import time
from asyncio import sleep
from pathlib import Path
from typing import Protocol

import bcrypt
import httpx
import yaml

from sandbox.child import Child
from sandbox.ports import LOOPBACK, free_port
from sandbox.registry_binary import RegistryBinary
from sandbox.registry_front import Front

_READY_S = 15.0
# The password is random and long, and its hash is checked at every request: the lowest cost is the right one.
_BCRYPT_ROUNDS = 4


class Process(Protocol):
    """A registry's process on a given port. `start` gives whether it let the credentials in."""

    child: Child

    async def start(self) -> bool: ...

    async def stop(self) -> None: ...


class Distribution:
    """Debian's docker-registry: credentials by htpasswd, deletion on, data kept in `folder`."""

    def __init__(self, binary: Path, folder: Path, log: Path, port: int, username: str, password: str) -> None:
        self._folder = folder
        self._port = port
        self._user = (username, password)
        self.child = Child("registry", [str(binary), "serve", str(folder / "config.yml")], log)

    async def start(self) -> bool:
        _write_configuration(self._folder, self._port, *self._user)
        await self.child.start()
        return await _lets_in(self.child, self._port, *self._user)

    async def stop(self) -> None:
        await self.child.stop()


class Crane:
    """crane's registry behind a Front. It keeps manifests in memory: a restart forgets all images."""

    def __init__(self, binary: Path, folder: Path, log: Path, port: int, username: str, password: str) -> None:
        behind = free_port()
        address = f"--address={LOOPBACK}:{behind}"
        self._blobs = folder / "crane"
        self._port = port
        self._user = (username, password)
        self._front = Front(port, behind, username, password)
        self.child = Child("registry", [str(binary), "registry", "serve", address, f"--disk={self._blobs}"], log)

    async def start(self) -> bool:
        self._blobs.mkdir(parents=True, exist_ok=True)
        await self.child.start()
        try:
            await self._front.start()
        except OSError:
            return False
        return await _lets_in(self.child, self._port, *self._user)

    async def stop(self) -> None:
        await self._front.stop()
        await self.child.stop()


def process(binary: RegistryBinary, folder: Path, log: Path, port: int, username: str, password: str) -> Process:
    """The registry of that kind, not started."""
    kind = Distribution if binary.kind == "distribution" else Crane
    return kind(binary.path, folder, log, port, username, password)


def _write_configuration(folder: Path, port: int, username: str, password: str) -> None:
    users = folder / "htpasswd"
    users.touch(mode=0o600)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS, prefix=b"2a")).decode()
    users.write_text(f"{username}:{hashed}\n")
    content = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "data")},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": f"{LOOPBACK}:{port}", "relativeurls": True},
        "auth": {"htpasswd": {"realm": "Tidegate sandbox", "path": str(users)}},
    }
    (folder / "config.yml").write_text(yaml.safe_dump(content))


async def _lets_in(child: Child, port: int, username: str, password: str) -> bool:
    """Whether it accepts the credentials before the time is up; an alien server on the port would not."""
    until = time.monotonic() + _READY_S
    async with httpx.AsyncClient(auth=(username, password), trust_env=False) as http:
        while child.alive and time.monotonic() < until:
            try:
                answer = await http.get(f"http://{LOOPBACK}:{port}/v2/")
            except httpx.TransportError:
                await sleep(0.02)
                continue
            if answer.status_code != httpx.codes.INTERNAL_SERVER_ERROR:
                return answer.status_code == httpx.codes.OK and child.alive
            await sleep(0.02)
    return False
