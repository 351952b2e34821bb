"""The sandbox's Docker Engine: one that already runs, else one of its own, else none."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from release.errors import Unavailable
from sandbox import engine_elsewhere
from sandbox.child import Child
from sandbox.engine_install import allowed, install
from sandbox.engine_run import DataLock, first_answer, own_mounts, run_folder

_STORAGE = ("overlay2", "vfs")

Say = Callable[[str], None]


class Engine:
    """Find or start an engine; `host` is its address, None where there is none and the stand-in builds.

    `data` is where layers are kept between starts; its lock goes to one sandbox at a time, and a second one
    keeps its layers in `folder`, with the other files of the run. It asks nobody: who starts a sandbox has settled
    with `engine_install.decision` whether one may be installed. Needs no network rights: the engine has no bridge and
    no firewall rules.
    """

    def __init__(self, folder: Path, data: Path, log: Path, *, say: Say = print) -> None:
        self._folder = folder
        self._data = data
        self._log = log
        self._say = say
        self._child: Child | None = None
        self._run: Path | None = None
        self._lock: DataLock | None = None
        self.host: str | None = None
        self.version: str | None = None
        self.reason = ""

    @property
    def pid(self) -> int | None:
        """The process of our own engine, None for one that was there before."""
        return self._child.pid if self._child else None

    @property
    def data(self) -> Path | None:
        """Where our own engine keeps its layers."""
        return self._lock.folder if self._lock else None

    async def start(self) -> str | None:
        """Gives `host`. Where it is None, `reason` says why; raises Unavailable when our own does not start."""
        if os.environ.get("TIDEGATE_ENGINE") == "none":
            self._none("TIDEGATE_ENGINE is none")
            return None
        if (there := await engine_elsewhere.found(self._say)) is not None:
            self.host, self.version = there
            return self.host
        daemon = await self._daemon()
        if daemon is None:
            return None
        await self.start_own(daemon)
        return self.host

    async def stop(self) -> None:
        """End our own engine; one that was there before stays."""
        if self._child is not None:
            await self._child.stop(grace=15)
        if self._run is not None:
            await asyncio.to_thread(shutil.rmtree, self._run, ignore_errors=True)
        if self._lock is not None:
            self._lock.release()
        self.host = None

    async def _daemon(self) -> str | None:
        if os.geteuid() != 0:
            self._none("no engine is reachable, and starting one needs root")
            return None
        if shutil.which("dockerd") is None:
            refusal = allowed()
            if refusal is not None:
                self._none(refusal)
                return None
            await install(self._say)
        return shutil.which("dockerd")

    def _none(self, reason: str) -> None:
        self.reason = reason
        self._say(f"No Docker Engine: {reason}. A stand-in packs images without building them.")

    async def start_own(self, daemon: str = "dockerd") -> None:
        """Start one of our own, whatever else runs. Raises Unavailable when it does not come up."""
        self._run = run_folder(self._folder)
        self._lock = DataLock.first_free(self._data, self._folder / "data")
        host = f"unix://{self._run / 'docker.sock'}"
        for storage in _STORAGE:
            child = self._child = Child("dockerd", self._argv(daemon, host, storage), self._log)
            await child.start()
            try:
                self.version = await first_answer(child, host)
            except BaseException:
                await child.stop()
                raise
            if self.version is not None:
                self.host = host
                return
            await child.stop()
        await self.stop()
        raise Unavailable(
            "The Docker Engine does not start.",
            next_step=f"read {self._log}, or set TIDEGATE_ENGINE=none to build without an engine",
        )

    def _argv(self, daemon: str, host: str, storage: str) -> list[str]:
        assert self._run is not None
        assert self._lock is not None
        # A file of our own, so that the machine's /etc/docker/daemon.json does not contradict the flags.
        configuration = self._run / "daemon.json"
        configuration.write_text("{}")
        flags = {
            "config-file": configuration,
            "data-root": self._lock.folder,
            "exec-root": self._run / "exec",
            "pidfile": self._run / "dockerd.pid",
            "host": host,
            "bridge": "none",
            "iptables": "false",
            "ip6tables": "false",
            "storage-driver": storage,
            "log-level": "warn",
        }
        return [*own_mounts(), daemon, *(f"--{name}={value}" for name, value in flags.items())]
