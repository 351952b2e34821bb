"""Programs beside the sandbox's: Prefect's command line, and process groups that end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from config import load


def prefect(*words: str) -> list[str]:
    """Prefect's command line."""
    return [sys.executable, "-m", "prefect", *words]


def run_prefect(*words: str, env: Mapping[str, str]) -> None:
    """Run it to its end, which must be a good one."""
    done = subprocess.run(
        prefect(*words), env=dict(env), cwd=load.CHECKOUT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def begin_group(command: list[str], log: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start it as the head of a process group, which `end_groups` ends; what it says is added to the log."""
    with log.open("ab") as file:
        return subprocess.Popen(
            command, stdout=file, stderr=file, env=dict(env), cwd=load.CHECKOUT, start_new_session=True
        )


def end_groups(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """End them in order, each with what it began, as they are asked to; what does not end in 20 s is killed."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
