"""Bring a sandbox up in the background, take it down again, and say which of its processes are left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from release.errors import Refused, Unavailable
from sandbox import overlay, state
from sandbox.options import Options

READY_WITHIN_S = 900.0  # the first start builds a control plane
DOWN_WITHIN_S = 30.0
CHECKOUT = Path(__file__).resolve().parent.parent


def log_file(home: Path) -> Path:
    """The supervisor's output."""
    return state.folder(home) / "logs" / "sandbox.log"


def command(home: Path, cache: Path, options: Options) -> list[str]:
    """The supervisor's argument list."""
    folders = ("--home", str(home), "--cache", str(cache))
    return [sys.executable, "-m", "sandbox.daemon", *folders, "--options", options.dump()]


def up(home: Path, cache: Path, options: Options, say: Callable[[str], None]) -> None:
    """Start the supervisor and return when all is ready; `say` gets each line of its progress.

    Raises Unavailable with the reason and the end of the log when it is not ready. Interrupted, it takes down
    what it began.
    """
    log = log_file(home)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".log.old"))
    forget(home)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(home, cache, options),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=CHECKOUT,
            start_new_session=True,
        )
    try:
        _follow(home, process.pid, lambda: process.poll() is not None, say)
    except BaseException:
        process.terminate()
        process.wait(DOWN_WITHIN_S)
        raise


def join(home: Path, pid: int, say: Callable[[str], None]) -> None:
    """Follow the supervisor `pid`, which somebody else started, until it is ready.

    Raises Unavailable when it does not get there.
    """
    if not _is_ready(home, pid):
        _follow(home, pid, lambda: state.holder(home) != pid, say)


def _follow(home: Path, pid: int, ended: Callable[[], bool], say: Callable[[str], None]) -> None:
    log = log_file(home)
    deadline = time.monotonic() + READY_WITHIN_S
    with log.open(errors="replace") as lines:
        while True:
            gone, ready = ended(), _is_ready(home, pid)
            for line in lines:
                say(line.rstrip("\n"))
            if ready and not gone:
                return
            if gone:
                found = state.read(home)
                reason = found.error if found and found.error else "the supervisor ended."
                raise Unavailable(
                    f"The sandbox did not start: {reason}",
                    next_step=f"Read {log}, which ends with:\n{tail(log)}",
                )
            if time.monotonic() > deadline:
                raise Unavailable(f"The sandbox was not ready in {READY_WITHIN_S:.0f} s.", next_step=f"Read {log}.")
            time.sleep(0.05)


def down(home: Path, patience: float = 5.0) -> tuple[state.Process, ...]:
    """End the supervisor, and the guards of releases made here, and check that nothing is left of them.

    What had to be ended by force, `patience` seconds later, is returned.
    """
    pid, found, guards = state.holder(home), state.read(home), state.guards(home)
    for guard in guards:
        os.kill(guard.pid, signal.SIGTERM)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        if not _until(lambda: state.holder(home) is None, DOWN_WITHIN_S):
            os.kill(pid, signal.SIGKILL)
            _until(lambda: state.holder(home) is None, 5.0)
    mine = (*(found.processes if found else ()), *guards)
    _until(lambda: not any(state.alive(process) for process in mine), patience)
    left = tuple(process for process in mine if state.alive(process))
    for process in left:
        os.kill(process.pid, signal.SIGKILL)
    forget(home)
    return left


def purge(home: Path) -> None:
    """Remove the sandbox's data: clusters, images, runs, logs. Raises Refused while it runs."""
    if state.holder(home) is not None:
        raise Refused("the sandbox still runs.", next_step="Take it down first: tidegate sandbox down.")
    shutil.rmtree(state.folder(home), ignore_errors=True)


def forget(home: Path) -> None:
    """Make the settings and state.json stop naming a sandbox that is gone."""
    overlay.remove(home)
    state.forget(home)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "(no log)"


def _is_ready(home: Path, pid: int) -> bool:
    found = state.read(home)
    return found is not None and found.pid == pid and found.phase == "ready"


def _until(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
