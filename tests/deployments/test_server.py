"""The local Prefect server: real PostgreSQL, real `prefect server start`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from deployments.server import PrefectServer, environment
from release.errors import Unavailable
from sandbox.ports import free_port


def start(folder: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "deployments.server", "--folder", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as lines:
        line = lines.readline()
    assert line.startswith(f"ready http://127.0.0.1:{port}/api"), line
    return process


def processes_of(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            said = (entry / "cmdline").read_bytes() + bytes((entry / "cwd").readlink())
        except OSError:
            continue
        if str(folder).encode() in said:
            found.append(entry.name)
    return found


def test_its_environment_is_its_own_and_sends_nothing_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "a-key-of-the-caller")
    env = environment(tmp_path, 4321, "postgresql+asyncpg://x")
    assert "PREFECT_API_KEY" not in env
    assert env["PREFECT_UI_API_URL"] == "http://127.0.0.1:4321/api"
    assert env["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert env["PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"].endswith("filesystem")


@pytest.mark.slow
def test_it_keeps_its_data_over_a_stop_and_a_kill(tmp_path: Path) -> None:
    port = free_port()
    first = start(tmp_path / "server", port)
    api = f"http://127.0.0.1:{port}/api"
    with httpx.Client(trust_env=False, timeout=30) as http:
        flow = http.post(f"{api}/flows/", json={"name": "kept"}).json()["id"]
        assert http.get(f"http://127.0.0.1:{port}/ui-settings").json()["api_url"] == api
        assert (tmp_path / "server" / "database").read_text().startswith("postgresql+asyncpg://")
        first.send_signal(signal.SIGTERM)
        assert first.wait(30) == 0
        assert processes_of(tmp_path) == []
        second = start(tmp_path / "server", port)
        assert http.get(f"{api}/flows/{flow}").json()["name"] == "kept"
        assert http.get(f"{api}/health").json() is True
    os.kill(second.pid, signal.SIGKILL)
    second.wait()
    deadline = time.monotonic() + 15
    while processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(tmp_path) == []


@pytest.mark.slow
async def test_a_server_that_cannot_start_names_its_log(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = PrefectServer(tmp_path / "server", taken.getsockname()[1])
        with pytest.raises(Unavailable, match=r"prefect\.log"):
            await server.start()
        await server.stop()
    assert processes_of(tmp_path) == []


@pytest.mark.slow
async def test_a_fresh_server_starts_from_the_machines_template(tmp_path: Path) -> None:
    cache, port = tmp_path / "cache", free_port()
    for name in ("first", "second"):
        server = PrefectServer(tmp_path / name, port, cache=cache)
        try:
            await server.start()
            async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
                assert (await http.post(f"{server.api}/flows/", json={"name": name})).status_code == 201
                assert (await http.post(f"{server.api}/flows/count", json={})).json() == 1
        finally:
            await server.stop()
    created = "creating configuration files"
    assert created in (tmp_path / "first" / "logs" / "postgres.log").read_text()
    assert created not in (tmp_path / "second" / "logs" / "postgres.log").read_text()
    assert [path.name for path in (tmp_path / "second" / "postgres").iterdir()] == ["data"]
