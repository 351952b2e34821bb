from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from waiting import until

from sandbox import lifecycle, state


def some_state(pid: int, **changes: object) -> state.State:
    fields: dict[str, object] = {"pid": pid, "started": "2026-11-23T10:00:00+00:00", "phase": "ready", **changes}
    return state.State(**fields)  # type: ignore[arg-type]


def test_state_survives_the_file(tmp_path: Path) -> None:
    part = state.Part("registry", "real", "http://127.0.0.1:1", "distribution", 0.3)
    written = some_state(7, parts=(part,), processes=(state.Process("etcd", 8, 9),))
    state.write(tmp_path, written)
    assert state.read(tmp_path) == written


def test_nothing_or_half_a_file_is_no_state(tmp_path: Path) -> None:
    assert state.read(tmp_path) is None
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "state.json").write_text('{"pid": 1')
    assert state.read(tmp_path) is None


def test_one_supervisor_holds_a_folder_until_it_ends(tmp_path: Path) -> None:
    assert state.holder(tmp_path) is None
    lock = state.acquire(tmp_path)
    assert lock is not None
    assert state.holder(tmp_path) == os.getpid()
    assert state.acquire(tmp_path) is None
    os.close(lock)
    assert state.holder(tmp_path) is None


def test_a_process_that_ended_is_not_alive_whoever_has_its_number() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        seen = state.process("child", child.pid)
        assert state.alive(seen)
        assert not state.alive(state.Process("child", child.pid, seen.born + 1))
        assert child.stdin is not None
        child.stdin.close()
        child.wait()
        assert not state.alive(seen)


def test_down_ends_what_a_killed_supervisor_left(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        left = state.process("etcd", child.pid)
        state.write(tmp_path, some_state(child.pid, processes=(left,)))
        (tmp_path / "overlay").mkdir()
        assert lifecycle.down(tmp_path, patience=0.1) == (left,)
        child.wait(5)
        assert not (tmp_path / "overlay").exists()
        assert state.read(tmp_path) is None


def test_down_ends_the_guard_that_a_release_left_behind(tmp_path: Path) -> None:
    folder = tmp_path / "work" / "guard"
    folder.mkdir(parents=True)
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen([*sleeping, "guard", "production"]) as guard, subprocess.Popen(sleeping) as another:
        try:
            (folder / "production.pid").write_text(f"{guard.pid}\n")
            (folder / "staging.pid").write_text(f"{another.pid}\n")  # of a guard that ended; its id was given again
            until(lambda: len(state.guards(tmp_path)) == 1)  # its command line is there after exec
            assert lifecycle.down(tmp_path) == ()
            assert guard.wait(10) == -signal.SIGTERM
            assert another.poll() is None
        finally:
            guard.kill()
            another.kill()
