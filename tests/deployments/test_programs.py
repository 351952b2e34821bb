"""Programs that are kept up, and what is left of them afterwards: nothing."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from deployments.machine.programs import Kept, Program, once, until
from release.errors import Unavailable

WRITES = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(float(sys.argv[2]))"
# It leaves a child in its group, as a worker leaves its runs.
PARENT = (
    "import subprocess, sys, time;"
    "subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1], '60']);"
    "time.sleep(60)"
)


def program(folder: Path, *argv: str, grace: float = 5.0) -> Program:
    return Program("it", (sys.executable, "-c", *argv), dict(os.environ), folder, folder / "log", grace)


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def struck(kept: Kept, file: Path) -> None:
    """What it is has written its number, is killed, and what is started in its place has."""
    assert await until(lambda: len(pids(file)) == 1, 10)
    assert kept.pid is not None
    os.kill(kept.pid, signal.SIGKILL)
    assert await until(lambda: len(pids(file)) == 2, 10)


async def test_one_that_dies_is_started_again_and_told(tmp_path: Path) -> None:
    file, told = tmp_path / "pids", []
    kept = Kept(program(tmp_path, WRITES, str(file), "60"), told.append)
    kept.start()
    try:
        await struck(kept, file)
        assert kept.pid == pids(file)[1]
        assert "code -9" in told[0]
        assert str(tmp_path / "log") in told[0]
    finally:
        await kept.stop()
    assert not any(alive(pid) for pid in pids(file))


async def test_what_fails_at_its_start_is_tried_ever_more_slowly(tmp_path: Path) -> None:
    told: list[str] = []
    kept = Kept(program(tmp_path, "raise SystemExit(3)"), told.append)
    kept.start()
    try:
        assert await until(lambda: len(told) == 3, 15)
    finally:
        await kept.stop()
    assert ["0.5 s" in told[0], "in 1 s" in told[1], "in 2 s" in told[2]] == [True, True, True]


async def test_what_a_dead_one_left_ends_with_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    kept = Kept(program(tmp_path, PARENT, str(file), WRITES), lambda _: None)
    kept.start()
    try:
        await struck(kept, file)
        assert all(alive(pid) for pid in pids(file)), "a run outlives its worker"
    finally:
        await kept.stop()
    assert await until(lambda: not any(alive(pid) for pid in pids(file)), 5)


async def test_before_it_starts_again_what_a_dead_one_left_has_ended(tmp_path: Path) -> None:
    file, told, alive_then = tmp_path / "pids", list[str](), list[list[bool]]()

    async def before() -> None:
        alive_then.append([alive(pid) for pid in pids(file)])
        if len(alive_then) in (2, 3):
            raise Unavailable("the server is away.")

    kept = Kept(program(tmp_path, PARENT, str(file), WRITES), told.append, before)
    kept.start()
    try:
        await struck(kept, file)
    finally:
        await kept.stop()
    assert alive_then == [[], [False], [False], [False]]
    assert told[1:] == ["it waits: the server is away."]


async def test_one_that_will_not_end_is_ended(tmp_path: Path) -> None:
    stubborn = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WRITES
    kept = Kept(program(tmp_path, stubborn, str(tmp_path / "pids"), "60", grace=0.3), lambda _: None)
    kept.start()
    assert await until(lambda: len(pids(tmp_path / "pids")) == 1, 10)
    began = time.monotonic()
    await kept.stop()
    assert time.monotonic() - began < 5
    assert await until(lambda: not alive(pids(tmp_path / "pids")[0]), 5)


async def test_a_program_that_is_run_once(tmp_path: Path) -> None:
    assert await once(program(tmp_path, "pass"), 20)
    assert not await once(program(tmp_path, "raise SystemExit(1)"), 20)
    assert not await once(program(tmp_path, "import time; time.sleep(60)"), 0.5)
