"""What an engine of our own needs around it: a short folder, a data root that nobody else uses, a first answer."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import IO, Self

from clients.docker import engine_reachable
from sandbox.child import Child

_READY_S = 30.0
# containerd refuses sockets whose path is over 104 bytes, and its own lie 38 deep in this folder.
_LONGEST = 64


class DataLock:
    """A data root that is ours until `release`; it is also free when the process that held it has ended."""

    def __init__(self, folder: Path, handle: IO[str]) -> None:
        self.folder = folder
        self._handle = handle

    @classmethod
    def first_free(cls, *folders: Path) -> Self:
        """The first of `folders` that no other sandbox uses; BlockingIOError when all are in use."""
        for folder in folders[:-1]:
            try:
                return cls.take(folder)
            except BlockingIOError:
                continue
        return cls.take(folders[-1])

    @classmethod
    def take(cls, folder: Path) -> Self:
        """This folder; BlockingIOError while another sandbox uses it."""
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder.parent / f".{folder.name}.lock").open("a")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            raise
        return cls(folder, handle)

    def release(self) -> None:
        self._handle.close()


def own_mounts() -> list[str]:
    """A command to put before dockerd: its mounts are then its own, and gone with it even when it is killed."""
    unshare = shutil.which("unshare")
    return [unshare, "--mount", "--propagation", "private"] if unshare else []


def run_folder(wanted: Path) -> Path:
    """An empty folder for sockets: `wanted`/run, or a temporary one where that path is too long for a socket."""
    folder, note = wanted / "run", wanted / "run-folder"
    wanted.mkdir(parents=True, exist_ok=True)
    # A daemon that was killed left its pid file, and that number may be another process by now.
    shutil.rmtree(note.read_text() if note.exists() else folder, ignore_errors=True)
    if len(os.fsencode(folder)) <= _LONGEST:
        folder.mkdir(exist_ok=True)
        note.unlink(missing_ok=True)
        return folder
    folder = Path(tempfile.mkdtemp(prefix="tidegate-engine-"))
    note.write_text(str(folder))
    return folder


async def first_answer(child: Child, host: str) -> str | None:
    """The engine's version once it answers; None when it ended, or stayed silent for too long."""
    until = time.monotonic() + _READY_S
    while child.alive and time.monotonic() < until:
        version = await engine_reachable(host)
        if version is not None:
            return version
        await asyncio.sleep(0.05)
    return None
