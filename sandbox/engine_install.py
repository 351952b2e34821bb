"""Getting an engine onto a Debian machine, with the word of the person who owns it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence

from clients.process import Completed, run
from release.errors import Unavailable

_QUESTION = "No Docker Engine is here. Install Debian's docker.io with apt-get?"
_INSTALL_S = 600.0


def allowed(ask: Callable[[str], bool] | None) -> str | None:
    """None where docker.io may be installed, else why not.

    TIDEGATE_ENGINE=install or none decides; else the person at the terminal (`ask`); else, as in CI, yes.
    """
    decision = os.environ.get("TIDEGATE_ENGINE", "")
    if decision == "none":
        return "TIDEGATE_ENGINE is none"
    if shutil.which("apt-get") is None:
        return "none is reachable, and without apt-get none can be installed"
    if decision != "install" and ask is not None and not ask(_QUESTION):
        return "none is reachable, and installing docker.io was declined"
    return None


async def install(say: Callable[[str], None]) -> None:
    """Install docker.io without starting its service. Raises Unavailable when apt-get fails."""
    say("Installing docker.io with apt-get.")
    done = await _apt(("install", "-y", "--no-install-recommends", "docker.io"))
    if done.code != 0:
        await _apt(("update",))
        done = await _apt(("install", "-y", "--no-install-recommends", "docker.io"))
    if done.code != 0:
        raise Unavailable(
            f"docker.io could not be installed: {_last(done.stderr)}",
            next_step="install a Docker Engine yourself, or set TIDEGATE_ENGINE=none to build without one",
        )


async def _apt(arguments: Sequence[str]) -> Completed:
    # invoke-rc.d starts no service in runlevel 1; the engine that we start is our own.
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C", RUNLEVEL="1")
    return await run(["apt-get", "-q", *arguments], env=environment, timeout=_INSTALL_S)


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "apt-get gave no reason"
