"""Getting an engine onto a Debian machine, with the word of the person who owns it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

from release.errors import Unavailable
from sandbox import engine_elsewhere
from sandbox.apt import apt

Ask = Callable[[str], bool]

_QUESTION = "No Docker Engine is here. Install Debian's docker.io with apt-get?"
_INSTALL = ("install", "-y", "--no-install-recommends", "docker.io")
_INSTALL_S = 600.0


def allowed(ask: Ask | None = None) -> str | None:
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


async def decision(ask: Ask) -> str | None:
    """What the person at the terminal wants TIDEGATE_ENGINE to be: install or none. Nobody is asked, and it is None,
    where that is set, an engine is there or can be started, or none can be installed."""
    if os.environ.get("TIDEGATE_ENGINE") or shutil.which("dockerd") is not None or shutil.which("apt-get") is None:
        return None
    if await engine_elsewhere.found(lambda _: None) is not None:
        return None
    return "install" if allowed(ask) is None else "none"


async def install(say: Callable[[str], None]) -> None:
    """Install docker.io without starting its service. Raises Unavailable when apt-get fails."""
    say("Installing docker.io with apt-get.")
    # invoke-rc.d starts no service in runlevel 1; the engine that we start is our own.
    quiet = {"RUNLEVEL": "1"}
    done = await apt(_INSTALL, timeout=_INSTALL_S, variables=quiet)
    if done.code != 0:
        await apt(["update"])
        done = await apt(_INSTALL, timeout=_INSTALL_S, variables=quiet)
    if done.code != 0:
        raise Unavailable(
            f"docker.io could not be installed: {_last(done.stderr)}",
            next_step="install a Docker Engine yourself, or set TIDEGATE_ENGINE=none to build without one",
        )


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "apt-get gave no reason"
