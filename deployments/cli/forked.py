"""The command line, imported once and forked for each command: two cores spend their time on releases, not on imports.

It reads a line of JSON a command from its standard input (`argv`, `env` and a `folder`) and answers with the new
process's id. The command writes to `stdout` and `stderr` in its folder; how it ends is written to `code`. With the word
`shown`, standard error stays that of this program. `sandbox.forks` asks it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import random
import select
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deployments.cli import main, runner
from deployments.overview import PIPELINES

_TICK = 0.02
# What a run imports as it goes, so that no fork has to.
_LATER = (
    "anyio._backends._asyncio",
    "clients.docker",
    "clients.github",
    "clients.slack",
    "deployments.cli.follow",
    "deployments.cli.inplace",
    "deployments.cli.ordered",
    "fastapi",
    "graphviz",
    "prefect.flow_engine",
    "sqlalchemy.dialects.postgresql.asyncpg",
)


def serve(*, shown: bool) -> None:
    """Fork a process for each order, until the input ends."""
    runner.prepare()
    flows = (f"flows.{name}" for name in PIPELINES)
    for name in (*flows, *_LATER):
        importlib.import_module(name)
    # What is there stays: no fork's collector has to look at it, nor to copy its pages.
    gc.freeze()
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
                _become(order, shown=shown)
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


def _become(order: Mapping[str, Any], *, shown: bool) -> None:
    """A new process has its own variables and output, and forgets that it was forked. What is shown ends with Ctrl-C,
    as what shows it; else it has a session of its own."""
    folder = Path(order["folder"])
    files = {0: Path(os.devnull), 1: folder / "stdout", 2: folder / "stderr"}
    if shown:
        del files[2]
    else:
        os.setsid()
    for number, path in files.items():
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
    os.environ.clear()
    os.environ.update(order["env"])
    random.seed()
    sys.argv = ["tidegate", *order["argv"]]


if __name__ == "__main__":
    serve(shown="shown" in sys.argv)
