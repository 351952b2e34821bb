"""Children end when asked, when they do not listen, and when the sandbox itself is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from release.errors import Refused, Unavailable
from sandbox.child import Child
from sandbox.ports import free_ports

ROOT = Path(__file__).parents[2]


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


async def until(condition, seconds: float = 3.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        await asyncio.sleep(0.02)
    return False


async def test_it_runs_logs_and_ends(tmp_path: Path) -> None:
    child = Child("talker", ["sh", "-c", "echo hello; exec sleep 60"], tmp_path / "logs" / "talker.log")
    assert not child.alive
    await child.start()
    assert child.alive
    assert await until(lambda: child.tail() == "hello")
    await child.stop()
    assert not child.alive
    assert child.code == -signal.SIGTERM


async def test_one_that_ignores_the_request_is_killed_with_its_descendants(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 60 & echo $!; while true; do sleep 1; done"
    child = Child("stubborn", ["sh", "-c", script], tmp_path / "log")
    await child.start()
    assert await until(lambda: child.tail().isdigit())
    descendant = int(child.tail())
    await child.stop(grace=0.2)
    assert child.code == -signal.SIGKILL
    assert await until(lambda: not running(descendant))


async def test_check_says_how_it_ended(tmp_path: Path) -> None:
    child = Child("broken", ["sh", "-c", "echo no such flag >&2; exit 7"], tmp_path / "log")
    await child.start()
    assert await child.wait() == 7
    with pytest.raises(Unavailable, match=r"broken ended with code 7(.|\n)*no such flag"):
        child.check()


async def test_a_missing_executable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not an executable"):
        await Child("missing", [str(tmp_path / "nothing")], tmp_path / "log").start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_a_killed_parent_takes_its_children_along(tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib, sys\n"
        "from sandbox.child import Child\n"
        "async def main():\n"
        "    child = Child('c', ['sleep', '60'], pathlib.Path(sys.argv[1]))\n"
        "    await child.start()\n"
        "    print(child.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path / "log"), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert running(pid)
    os.kill(parent.pid, signal.SIGKILL)
    await parent.communicate()
    assert await until(lambda: not running(pid))


def test_ports_are_different_and_free() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
