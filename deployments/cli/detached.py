"""The guard that a release at the command line leaves behind: a process of its own, which outlives the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from config import load
from release.outcome import Outcome

_OFF = "TIDEGATE_GUARD"
_ENVIRONMENT = "production"


def watched(outcome: Outcome) -> str:
    """Start the guard where no worker watches the window that `outcome` left open; who watches, as a sentence."""
    open_until = f"The rollback window is open until {outcome.window}"
    if outcome.guard:
        return f"{open_until}; a {outcome.guard} watches it."
    if os.environ.get(_OFF) == "off":
        return f"{open_until}; `tidegate guard {_ENVIRONMENT}` watches it ({_OFF} is off)."
    log = load.home() / "work" / "guard" / f"{_ENVIRONMENT}.log"
    pid = _start(log)
    return f"{open_until}; process {pid} watches it, and writes to {log}."


def _start(log: Path) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        # A session of its own: neither Ctrl-C nor the terminal's end reaches it.
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.cli", "guard", _ENVIRONMENT, "--here"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=load.CHECKOUT,
            start_new_session=True,
        )
    process.returncode = 0  # it is not waited for, and outlives this process on purpose
    log.with_suffix(".pid").write_text(f"{process.pid}\n")  # `tidegate sandbox down` ends what watched the sandbox
    return process.pid
