"""A registry's executable in the machine's cache: Debian's package unpacked without root, else crane from source."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clients.cachefolder import locked
from clients.process import run
from release.errors import TidegateError, Unavailable
from sandbox.apt import apt
from sandbox.gotool import go_tool

_PACKAGE = "docker-registry"
_EXECUTABLE = Path("usr/bin/docker-registry")
_CRANE = Path(__file__).parent / "registry_crane"
_CRANE_VERSION = "0.22.1"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RegistryBinary:
    """`distribution` takes a configuration file and asks for credentials; `crane` does neither."""

    kind: Literal["distribution", "crane"]
    path: Path


async def ensure(cache: Path, say: Say) -> RegistryBinary:
    """The registry to run: from PATH, the cache, Debian's package or the Go module proxy, in that order.

    Raises Unavailable when none of them can be had.
    """
    installed = shutil.which(_PACKAGE)
    if installed is not None:
        return RegistryBinary("distribution", Path(installed))
    folder = cache / "registry"
    folder.mkdir(parents=True, exist_ok=True)
    async with locked(folder / ".docker-registry.lock", say):
        found = _cached(folder)
        if found is None and shutil.which("apt-get") and shutil.which("dpkg-deb"):
            found = await _from_debian(folder, say)
        if found is None:
            found = await _crane(folder, say)
    return found


def _cached(folder: Path) -> RegistryBinary | None:
    unpacked = sorted(path for path in folder.glob(f"*/{_EXECUTABLE}") if os.access(path, os.X_OK))
    return RegistryBinary("distribution", unpacked[-1]) if unpacked else None


async def _from_debian(folder: Path, say: Say) -> RegistryBinary | None:
    """The package from the machine's own apt sources, whose signatures apt checks; None where that fails."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as name:
        work = Path(name)
        done = await apt(["download", _PACKAGE], cwd=work)
        if done.code != 0 and os.geteuid() == 0:
            say("Refreshing apt's package lists for the registry.")
            await apt(["update"])
            done = await apt(["download", _PACKAGE], cwd=work)
        package = _package_in(work)
        if done.code != 0 or package is None:
            say("apt-get has no docker-registry here; building crane's registry instead.")
            return None
        return await _unpack(package, folder, say)


def _package_in(folder: Path) -> Path | None:
    return next(folder.glob("*.deb"), None)


async def _unpack(package: Path, folder: Path, say: Say) -> RegistryBinary | None:
    tree = package.parent / "tree"
    await run(["dpkg-deb", "-x", str(package), str(tree)], timeout=60)
    answer = await run(["dpkg-deb", "-f", str(package), "Version"], timeout=60)
    version = answer.stdout.strip()
    tried = await run([str(tree / _EXECUTABLE), "--version"], timeout=60)
    if tried.code != 0 or not version:
        say(f"Debian's registry does not run here ({tried.stderr.strip()}); building crane's instead.")
        return None
    target = folder / version
    shutil.rmtree(target, ignore_errors=True)
    tree.replace(target)
    say(f"Unpacked docker-registry {version}.")
    return RegistryBinary("distribution", target / _EXECUTABLE)


async def _crane(folder: Path, say: Say) -> RegistryBinary:
    """`crane`, built from the pinned modules of sandbox/registry_crane; its registry keeps manifests in memory."""
    out = folder / f"crane-{_CRANE_VERSION}"
    try:
        built = await go_tool(_CRANE, out, say, cache=folder.parent)
    except TidegateError as error:
        raise Unavailable(
            f"No registry can be had: {error.what}",
            next_step=f"install Debian's {_PACKAGE}, or Go, then try again",
        ) from error
    return RegistryBinary("crane", built / "crane")
