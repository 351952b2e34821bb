"""apt-get as the sandbox uses it: no questions, English answers, patient with another apt-get."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from clients.process import Completed, run

_TRIES = 60
_PAUSE_S = 1.0
_BUSY = "Could not get lock"


async def apt(
    arguments: Sequence[str],
    *,
    cwd: Path | None = None,
    timeout: float = 300,
    variables: Mapping[str, str] | None = None,
) -> Completed:
    """Run apt-get to its end; while another one holds apt's locks, wait up to a minute for it."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C", **(variables or {})}
    argv = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=60", *arguments]
    done = await run(argv, cwd=cwd, env=environment, timeout=timeout)
    for _ in range(_TRIES):
        if done.code == 0 or _BUSY not in done.stderr:
            break
        await asyncio.sleep(_PAUSE_S)
        done = await run(argv, cwd=cwd, env=environment, timeout=timeout)
    return done
