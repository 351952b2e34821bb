"""Fetch pinned wheels from the user's package index, with the hashes of a requirements file checked."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from clients import process
from release.errors import Refused, Unavailable


async def install(requirements: Path, into: Path, *, timeout: float = 900) -> None:
    """Unpack the wheels that `requirements` pins (without what they depend on) into the folder `into`.

    Raises Refused where neither pip nor uv is there, Unavailable when the index does not deliver them.
    """
    argv = [*_installer(), "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    done = await process.run([*argv, "--quiet", "--target", str(into), "-r", str(requirements)], timeout=timeout)
    if done.code != 0:
        raise Unavailable(
            f"The wheels of {requirements.name} could not be fetched: {_reason(done.stderr)}",
            next_step="check the way to the package index and try again",
        )


def _installer() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install"]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--python", sys.executable]
    raise Refused(
        "Neither pip nor uv is installed beside this Python.",
        field="pip",
        next_step=f"run {sys.executable} -m ensurepip",
    )


def _reason(stderr: str) -> str:
    # Index addresses may carry credentials: only pip's own summary line is shown, never a line with an address.
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and "://" not in line]
    return lines[-1] if lines else "no reason given"
