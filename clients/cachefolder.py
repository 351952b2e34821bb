"""Folders of the machine's cache: filled once, by whichever process comes first, and then only read."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

Say = Callable[[str], None]
_POLL = 0.2


async def filled_once(folder: Path, fill: Callable[[Path], Awaitable[None]], say: Say) -> Path:
    """`folder`, filled by `fill(empty folder)` unless it is there already.

    It appears whole or not at all; a second process waits for the first. What `fill` raises passes through.
    """
    if not _is_there(folder):
        async with locked(folder.parent / f".{folder.name}.lock", say):
            if not _is_there(folder):
                await _fill(folder, fill)
    return folder


def _is_there(folder: Path) -> bool:
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder.is_dir()


async def _fill(folder: Path, fill: Callable[[Path], Awaitable[None]]) -> None:
    partial = folder.parent / f".{folder.name}.partial"
    # Left by a process that was killed: the lock is ours, so nobody works in it.
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        await fill(partial)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@asynccontextmanager
async def locked(path: Path, say: Say) -> AsyncIterator[None]:
    """Hold the lock file `path` among all processes of the machine; a process that ends lets go of it."""
    with path.open("a") as handle:
        waiting = False
        while not _try_lock(handle.fileno()):
            if not waiting:
                say(f"another process fills {path.parent.name}/{path.stem.lstrip('.')}, waiting for it")
                waiting = True
            await asyncio.sleep(_POLL)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
