"""The command line, imported once and forked for each command: two cores spend their time on releases, not on imports.

Run as a program it reads a line of JSON a command from its standard input and answers with the new process's id; how
that ends is written to the file `code` in the command's folder.
"""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config import load

_TICK = 0.01


class Forks:
    """Starts commands. `env` names the sandbox, which must be up."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=load.CHECKOUT,
            env={**env, "PYTHONPATH": str(load.CHECKOUT)},
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


def serve() -> None:
    """Fork a process for each order, until the input ends."""
    from deployments.cli import main, runner

    runner.prepare()
    for name in ("development", "staging", "production", "hotfix", "rollback", "retire", "guard"):
        __import__(f"flows.{name}")
    running: dict[int, Path] = {}
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], _TICK)
        if readable:
            line = os.read(0, 1_000_000)
            if not line:
                return
            order = json.loads(line)
            pid = os.fork()
            if pid == 0:
                _become(order)
                main.run()
                return
            running[pid] = Path(order["folder"]) / "code"
            os.write(1, f"{pid}\n".encode())
        _reap(running)


def _reap(running: dict[int, Path]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        code = running.pop(pid)
        code.with_suffix(".new").write_text(str(os.waitstatus_to_exitcode(status)))
        code.with_suffix(".new").replace(code)


def _become(order: Mapping[str, Any]) -> None:
    """A new process has its own session, variables and output, and forgets that it was forked."""
    os.setsid()
    folder = Path(order["folder"])
    for number, path in ((0, Path(os.devnull)), (1, folder / "stdout"), (2, folder / "stderr")):
        os.dup2(os.open(path, os.O_RDWR), number)
    os.environ.clear()
    os.environ.update(order["env"])
    random.seed()
    sys.argv = ["tidegate", *order["argv"]]


if __name__ == "__main__":
    serve()
