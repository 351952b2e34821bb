"""Where the application's commands run, and as whom: in the checkout as the worker, or in a copy of it as a user of
their own, who can read nothing of Tidegate's. Then they never touch the checkout, which is what is built and deployed.

The user's files are read and copied as the user: a link among them leads nowhere that he could not go himself.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from clients import process, user
from clients.cachefolder import filled_once
from config import load
from release.errors import Failed, Refused
from tasks.say import say

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
# What leads to the worker's own folders.
_WORKERS = ("HOME", "TMPDIR")
_TIMEOUT = 300.0


async def execute(argv: Sequence[str], place: Path, variables: Mapping[str, str], timeout: float) -> process.Completed:
    """Run a command of the application's in `place`, with `variables` and a few of the machine's alone.

    Raises Refused where it may not run as the user of the settings, Unavailable when it does not end in time.
    """
    name = load.settings().checks.user
    inherited = {one: os.environ[one] for one in _INHERITED if one in os.environ}
    if name is not None:
        inherited = {one: value for one, value in inherited.items() if one not in _WORKERS}
        inherited["HOME"] = str(_home(place, name))
    path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}"
    env = {**inherited, "PATH": path, **variables}
    return await process.run(argv, cwd=place, env=env, timeout=timeout, user=name)


async def of(checkout: Path) -> Path:
    """Where the commands of a checkout run. A user's copy is made when it is first asked for, with a home beside it.

    Raises Refused where the worker may not make one, and where the user could not get there.
    """
    name = load.settings().checks.user
    if name is None:
        return checkout
    user.account(name)
    found = await filled_once(_copy(checkout, name), partial(_fill, checkout, name), say)
    reached = await _as(name, "test", "-x", str(found))
    if reached.code:
        raise Refused(
            f"{name}, as whom the application's commands run, cannot reach {found}.",
            field="checks.as",
            next_step="Let others pass through its folders (chmod o+x), or set TIDEGATE_HOME to where they can.",
        )
    return found


async def copied(place: Path, copy: Path) -> None:
    """Another copy of such a place with what was installed there, as `copy`."""
    name = load.settings().checks.user
    await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)
    if name is None:
        await asyncio.to_thread(shutil.copytree, place, copy, symlinks=True)
        return
    _folder(copy, name)
    done = await _as(name, "cp", "-a", "--", f"{place}/.", str(copy))
    if done.code:
        raise Failed(f"the work copy could not be copied: {done.stderr.strip()[-300:]}", field="checks.as")


async def take(path: Path, kept: Path | None, most: int) -> None:
    """Move a file out of such a place to `kept`, of a user's the first `most` bytes; without `kept` remove it."""
    name = load.settings().checks.user
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
    if name is None:
        path.replace(kept) if kept is not None else path.unlink()
        return
    if kept is not None:
        kept.write_text((await _as(name, "head", "-c", str(most), "--", str(path))).stdout)
    await _as(name, "rm", "-f", "--", str(path))


def forget(checkout: Path) -> None:
    """The checkout is made anew, so that no copy of it is one any more."""
    name = load.settings().checks.user
    if name is not None:
        shutil.rmtree(_copy(checkout, name), ignore_errors=True)


def _copy(checkout: Path, name: str) -> Path:
    return checkout.with_name(f"{checkout.name}-as-{name}")


def _home(place: Path, name: str) -> Path:
    """One for all commands of a run: what is installed for the user is in it."""
    return place.with_name(f"home-of-{name}")


async def _fill(checkout: Path, name: str, empty: Path) -> None:
    """Nothing of the user's runs in it yet, so its files may be given to him one by one."""
    account = user.account(name)

    def fill() -> None:
        shutil.copytree(checkout, empty, symlinks=True, dirs_exist_ok=True)
        for folder, folders, files in os.walk(empty):
            for entry in (*folders, *files):
                os.chown(Path(folder, entry), account.pw_uid, account.pw_gid, follow_symlinks=False)
        os.chown(empty, account.pw_uid, account.pw_gid)
        empty.chmod(0o700)

    home = _home(checkout, name)
    if not home.is_dir():
        _folder(home, name)
    await asyncio.to_thread(fill)


def _folder(path: Path, name: str) -> None:
    account = user.account(name)
    path.mkdir(mode=0o700)
    os.chown(path, account.pw_uid, account.pw_gid)


async def _as(name: str, *argv: str) -> process.Completed:
    # Its environment can be read by whatever else runs as this user.
    return await process.run(argv, env={"PATH": os.defpath}, timeout=_TIMEOUT, user=name)
