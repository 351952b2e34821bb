"""Commands without a start-up of their own, as `deployments.cli.forked` runs them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from config import load

_TICK = 0.05


class Forks:
    """Starts commands. `env` names the sandbox, which must be up. `shown`: what they write to standard error goes where
    this process writes it, else into a file of the command's folder."""

    def __init__(self, env: Mapping[str, str], *, shown: bool = False) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deployments.cli.forked", *(["shown"] if shown else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=load.CHECKOUT,
            env=dict(env),
        )

    def start(self, argv: tuple[str, ...], env: Mapping[str, str], folder: Path) -> Forked:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"argv": argv, "env": dict(env), "folder": str(folder)}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return Forked(int(self._process.stdout.readline()), folder / "code")

    def end(self) -> None:
        self._process.communicate(timeout=10)


class Forked:
    """A command's process, as far as subprocess.Popen is asked for it."""

    def __init__(self, pid: int, code: Path) -> None:
        self.pid, self._code = pid, code

    def poll(self) -> int | None:
        return int(self._code.read_text()) if self._code.exists() else None

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(_TICK)
        return code
