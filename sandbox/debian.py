"""Executables of Debian's packages, unpacked into the machine's cache without root."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from clients.cachefolder import locked
from clients.process import run
from sandbox.apt import apt

Say = Callable[[str], None]


async def unpacked(package: str, executable: Path, folder: Path, say: Say) -> Path | None:
    """`executable` (a path inside the package) of `package`, from `folder`/VERSION; fetched there once a machine.

    The package comes from the machine's own apt sources, whose signatures apt checks. None where that cannot be,
    which is said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    async with locked(folder / f".{package}.lock", say):
        found = _cached(folder, executable)
        if found is None and shutil.which("apt-get") and shutil.which("dpkg-deb"):
            found = await _fetch(package, executable, folder, say)
    return found


def _cached(folder: Path, executable: Path) -> Path | None:
    there = sorted(path for path in folder.glob(f"*/{executable}") if os.access(path, os.X_OK))
    return there[-1] if there else None


async def _fetch(package: str, executable: Path, folder: Path, say: Say) -> Path | None:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as name:
        work = Path(name)
        done = await apt(["download", package], cwd=work)
        if done.code != 0 and os.geteuid() == 0:
            say(f"refreshing apt's package lists for {package}")
            await apt(["update"])
            done = await apt(["download", package], cwd=work)
        file = next(work.glob("*.deb"), None)
        if done.code != 0 or file is None:
            say(f"apt-get has no {package} here")
            return None
        return await _unpack(file, executable, folder, say)


async def _unpack(package: Path, executable: Path, folder: Path, say: Say) -> Path | None:
    tree = package.parent / "tree"
    await run(["dpkg-deb", "-x", str(package), str(tree)], timeout=60)
    version = (await run(["dpkg-deb", "-f", str(package), "Version"], timeout=60)).stdout.strip()
    tried = await run([str(tree / executable), "--version"], timeout=60)
    if tried.code != 0 or not version:
        say(f"Debian's {executable.name} does not run here ({tried.stderr.strip()})")
        return None
    target = folder / version
    shutil.rmtree(target, ignore_errors=True)
    tree.replace(target)
    say(f"unpacked {executable.name} {version}")
    return target / executable
