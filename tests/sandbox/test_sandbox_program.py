"""The sandbox as people start it: a program in the background, and nothing of it left afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import lifecycle, state

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    yield tmp_path
    lifecycle.down(tmp_path)


def tidegate(*arguments: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "deployments.cli", "sandbox", *arguments]
    done = subprocess.run(command, cwd=lifecycle.CHECKOUT, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def processes_of(home: Path) -> list[str]:
    """The command lines of all processes that name the folder there, in their environment or as where they are."""
    found, name = [], str(home).encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
                said = command + (entry / "environ").read_bytes() + bytes((entry / "cwd").readlink())
            except OSError:
                continue
            if name in said:
                found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def gone(home: Path, within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while processes_of(home):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_up_status_down_and_up_again(home: Path) -> None:
    told = tidegate("up", "--speed", "10")
    for part in ("kubernetes", "registry", "git", "github", "slack", "node", "gateway", "prefect"):
        assert part in told
    assert "already up" in tidegate("up")
    status = json.loads(tidegate("status", "--json"))
    assert status["ready"] is True
    kinds = {part["name"]: part["kind"] for part in status["state"]["parts"]}
    assert (kinds["kubernetes"], kinds["node"], kinds["github"]) == ("real", "SIMULATED", "SIMULATED")
    assert "shop-secrets" in tidegate("kubectl", "--", "--context", "staging", "get", "secrets", "-o", "name")
    addresses = {part["name"]: part["address"] for part in status["state"]["parts"]}
    assert "down" in tidegate("down")
    assert gone(home, within=60.0), processes_of(home)
    assert not (home / "overlay").exists()
    tidegate("up", "--no-prefect")
    again = {part["name"]: part["address"] for part in json.loads(tidegate("status", "--json"))["state"]["parts"]}
    assert again["registry"] == addresses["registry"]
    tidegate("down", "--purge")
    assert gone(home, within=60.0), processes_of(home)
    assert not (home / "sandbox").exists()


def test_a_killed_supervisor_leaves_nothing(home: Path) -> None:
    tidegate("up")
    supervisor = state.holder(home)
    assert supervisor is not None
    assert len(processes_of(home)) > 5
    os.kill(supervisor, signal.SIGKILL)
    assert gone(home), processes_of(home)
    assert "its supervisor is gone" in tidegate("status", code=5)
    assert "was not up" in tidegate("down")


def test_interrupted_it_takes_down_what_it_began(home: Path) -> None:
    command = [sys.executable, "-m", "deployments.cli", "sandbox", "up", "--no-prefect"]
    with subprocess.Popen(command, cwd=lifecycle.CHECKOUT, stdout=subprocess.PIPE, text=True) as starting:
        assert starting.stdout is not None
        starting.stdout.readline()
        starting.send_signal(signal.SIGINT)
        assert starting.wait(60) == 130
    assert gone(home, within=60.0), processes_of(home)
    assert "The sandbox is down. Start it" in tidegate("status", code=5)


def test_a_part_that_cannot_start_is_named(
    home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = tmp_path_factory.mktemp("assets")
    for name in ("etcd", "kube-apiserver", "kube-controller-manager"):
        (assets / name).write_text("#!/bin/sh\necho no disk left\nexit 3\n")
        (assets / name).chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    told = tidegate("up", "--no-prefect", code=5)
    assert "etcd ended with code 3" in told
    assert "no disk left" in told
    assert gone(home, within=60.0), processes_of(home)
    assert not (home / "overlay").exists()


def test_a_control_plane_that_dies_ends_the_sandbox_with_its_reason(home: Path) -> None:
    tidegate("up", "--no-prefect")
    found = state.read(home)
    assert found is not None
    etcd = next(process for process in found.processes if process.name == "etcd")
    os.kill(etcd.pid, signal.SIGKILL)
    assert gone(home), processes_of(home)
    assert "etcd ended" in tidegate("status", code=5)
