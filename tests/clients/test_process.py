from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from clients import process
from release.errors import Refused, Unavailable

PYTHON = sys.executable


def gone(pid: int) -> bool:
    """Also true of a process that ended and that nobody has reaped yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def until(condition, seconds: float = 3.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.01)
    return True


async def test_output_and_code_are_returned():
    done = await process.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout=5)
    assert (done.code, done.stdout, done.stderr) == (3, "out\n", "err\n")
    assert done.argv == ("sh", "-c", "echo out; echo err >&2; exit 3")
    assert 0 < done.seconds < 5


async def test_the_environment_is_replaced():
    done = await process.run(["env"], env={"PATH": os.environ["PATH"], "A": "1"}, timeout=5)
    assert sorted(done.stdout.split()) == ["A=1", f"PATH={os.environ['PATH']}"]


async def test_stdin_and_folder(tmp_path: Path):
    done = await process.run(["sh", "-c", "pwd; cat"], cwd=tmp_path, stdin=b"x" * 300_000, timeout=5)
    assert done.stdout == f"{tmp_path}\n" + "x" * 300_000


async def test_a_command_that_ignores_its_input_is_no_error():
    assert (await process.run(["true"], stdin=b"x" * 300_000, timeout=5)).code == 0


async def test_lines_come_as_they_are_written():
    lines: list[str] = []
    script = "printf 'one\\r\\ntwo'; printf ' and a half\\n'; printf '\\303\\244'"
    done = await process.run(["sh", "-c", script], on_line=lines.append, timeout=5)
    assert lines == ["one", "two and a half", "ä"]
    assert done.stdout == "one\r\ntwo and a half\nä"


async def test_a_long_line_is_read():
    lines: list[str] = []
    await process.run([PYTHON, "-c", "print('x' * 200_000)"], on_line=lines.append, timeout=5)
    assert [len(line) for line in lines] == [200_000]


async def test_a_missing_executable_is_refused():
    with pytest.raises(Refused, match="no-such-tool") as caught:
        await process.run(["no-such-tool", "--x"], timeout=5)
    assert caught.value.field == "executable"


async def test_a_missing_folder_is_refused(tmp_path: Path):
    with pytest.raises(Refused) as caught:
        await process.run(["true"], cwd=tmp_path / "none", timeout=5)
    assert caught.value.field == "cwd"


async def test_a_time_out_ends_the_whole_group(tmp_path: Path):
    pids = tmp_path / "pids"
    script = f"sleep 60 & echo $! >> {pids}; echo $$ >> {pids}; wait"
    with pytest.raises(Unavailable, match=r"sh did not end within 0\.3 s"):
        await process.run(["sh", "-c", script], timeout=0.3, grace=2)
    assert await until(lambda: all(gone(int(pid)) for pid in pids.read_text().split()))


async def test_who_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path):
    pid = tmp_path / "pid"
    script = f"trap '' TERM; echo $$ > {pid}; while :; do sleep 0.05; done"
    started = time.monotonic()
    with pytest.raises(Unavailable):
        await process.run(["sh", "-c", script], timeout=0.2, grace=0.2)
    assert time.monotonic() - started < 3
    assert await until(lambda: gone(int(pid.read_text())))


async def test_sigterm_comes_first(tmp_path: Path):
    note = tmp_path / "note"
    script = f"trap 'echo asked > {note}; exit 0' TERM; while :; do sleep 0.02; done"
    with pytest.raises(Unavailable):
        await process.run(["sh", "-c", script], timeout=0.3, grace=2)
    assert note.read_text() == "asked\n"


async def test_cancellation_ends_the_command(tmp_path: Path):
    pid = tmp_path / "pid"
    running = asyncio.create_task(process.run(["sh", "-c", f"echo $$ > {pid}; exec sleep 60"], timeout=60))
    assert await until(lambda: pid.exists() and pid.read_text() != "")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert gone(int(pid.read_text()))


async def test_a_child_left_behind_is_ended_and_does_not_hold_the_caller(tmp_path: Path):
    pid = tmp_path / "pid"
    started = time.monotonic()
    done = await process.run(["sh", "-c", f"sleep 60 & echo $! > {pid}; echo done"], timeout=30)
    assert (done.code, done.stdout) == (0, "done\n")
    assert time.monotonic() - started < 5
    assert await until(lambda: gone(int(pid.read_text())))
