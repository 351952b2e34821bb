"""`tidegate serve --all`: everything comes up, what dies comes back, and a restart leaves what waits as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hooks import SECRET, headers, pushed
from waiting import until

from config import load
from deployments.service.webhook import PATH
from sandbox.ports import free_port

pytestmark = pytest.mark.slow
HTTP = httpx.Client(trust_env=False, timeout=10)


class Machine:
    """A `tidegate serve --all` over a folder of its own, with nothing to release."""

    def __init__(self, home: Path) -> None:
        self.home, self.port, self.service = home, free_port(), free_port()
        self.api, self.url = f"http://127.0.0.1:{self.port}/api", f"http://127.0.0.1:{self.service}"
        self.process: subprocess.Popen[bytes] | None = None
        (home / "webhook").write_bytes(SECRET)

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "TIDEGATE_HOME": str(self.home),
            "TIDEGATE__PREFECT__API": self.api,
            "TIDEGATE__APPLICATION__GIT": f"file://{self.home}/nothing.git",
            "TIDEGATE__SERVICE__PORT": str(self.service),
            "TIDEGATE__SERVICE__GITHUB_SECRET__FILE": str(self.home / "webhook"),
        }

    def start(self) -> None:
        """Ready when it returns."""
        with (self.home / "out").open("ab") as out:
            command = [sys.executable, "-m", "deployments.cli", "serve", "--all"]
            self.process = subprocess.Popen(
                command, stdout=out, stderr=out, env=self.environment(), cwd=load.CHECKOUT, start_new_session=True
            )
        began = self.told().count("ready after")
        until(lambda: self.told().count("ready after") > began or self.process.poll() is not None, 300)
        assert self.process.poll() is None, self.told()

    def told(self) -> str:
        return (self.home / "out").read_text()

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        until(lambda: not self.processes(), 120)

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(90)

    def processes(self) -> dict[int, str]:
        """What runs of it: pid -> command line."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                said = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                mine = str(self.home) in said or str(self.home).encode() in (entry / "environ").read_bytes()
            except (OSError, UnicodeDecodeError):
                continue
            if mine and entry.name.isdigit() and said:
                found[int(entry.name)] = said
        return found

    def pid_of(self, words: str) -> int:
        (pid,) = [pid for pid, said in self.processes().items() if words in said]
        return pid

    def deliver(self, branch: str, delivery: str) -> httpx.Response:
        body = pushed(branch, after=delivery)
        return HTTP.post(f"{self.url}{PATH}", content=body, headers=headers(body, delivery=delivery))

    def runs(self) -> list[dict[str, Any]]:
        return list(HTTP.post(f"{self.api}/flow_runs/filter", json={}).raise_for_status().json())

    def run(self, number: str) -> dict[str, Any]:
        return dict(HTTP.get(f"{self.api}/flow_runs/{number}").raise_for_status().json())

    def create(self, state: Mapping[str, Any]) -> str:
        """A run of the retire deployment that no worker will take now, forced into a state."""
        found = HTTP.get(f"{self.api}/deployments/name/retire/retire").raise_for_status().json()
        later = {"type": "SCHEDULED", "state_details": {"scheduled_time": at(hours=5)}}
        made = HTTP.post(f"{self.api}/deployments/{found['id']}/create_flow_run", json={"state": later}).json()
        if state:
            HTTP.post(f"{self.api}/flow_runs/{made['id']}/set_state", json={"state": state, "force": True})
        return str(made["id"])


def at(**later: float) -> str:
    return (datetime.now(UTC) + timedelta(**later)).isoformat()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    found = Machine(tmp_path)
    try:
        found.start()
        yield found
    finally:
        if found.process is not None and found.process.poll() is None:
            found.kill()


def test_it_keeps_its_parts_up_and_what_waits_over_a_power_cut(machine: Machine) -> None:
    paused = {"type": "PAUSED", "name": "AwaitingApproval", "state_details": {"pause_reschedule": True}}
    waits, later = machine.create(paused | {"message": "2 more must approve"}), machine.create({})
    pending, running = machine.create({"type": "PENDING"}), machine.create({"type": "RUNNING"})
    pool = ThreadPoolExecutor(8)
    codes = list(pool.map(lambda _: machine.deliver("hotfix/x", "again").status_code, range(100)))
    assert sorted(codes) == [200] * 99 + [202]

    os.kill(machine.pid_of("deployments.server"), signal.SIGKILL)
    codes = [machine.deliver(f"hotfix/{number}", f"away-{number}").status_code for number in range(5)]
    assert set(codes) <= {202, 503}, "PostgreSQL ends with the server that was killed"
    until(lambda: HTTP.get(f"{machine.url}/readyz").json().get("prefect"), 120)
    for number in range(5):
        assert machine.deliver(f"hotfix/{number}", f"away-{number}").status_code in (200, 202)

    machine.kill()
    machine.start()
    assert machine.run(waits)["state"]["name"] == "AwaitingApproval"
    assert machine.run(waits)["state"]["message"] == "2 more must approve"
    assert machine.run(later)["state"]["type"] == "SCHEDULED"
    assert machine.run(running)["state"]["type"] == "CRASHED"
    assert "start the same command again" in machine.run(running)["state"]["message"]
    assert machine.run(pending)["state"]["type"] != "PENDING" or machine.run(pending)["infrastructure_pid"]
    until(lambda: len(keys_of(machine)) >= 6, 60)
    assert keys_of(machine) == sorted(["github-again", *(f"github-away-{number}" for number in range(5))])


def keys_of(machine: Machine) -> list[str]:
    return sorted(run["idempotency_key"] for run in machine.runs() if "github" in run["tags"])


def test_it_ends_cleanly_and_says_who_is_in_its_way(machine: Machine) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "deployments.cli", "serve", "--all"],
        env=machine.environment(),
        cwd=load.CHECKOUT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert second.returncode == 2
    assert "another `tidegate serve`" in second.stderr
    status = subprocess.run(
        [sys.executable, "-m", "deployments.cli", "release", "nonsense", "--json"],
        env={**machine.environment(), "TIDEGATE_ACTOR": "ada"},
        cwd=load.CHECKOUT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert status.returncode == 2, status.stderr
    outcome = json.loads(status.stdout)
    assert (outcome["pipeline"], outcome["word"]) == ("production", "refused")
    run = machine.run(outcome["run"])
    assert run["deployment_id"], "a worker ran it"
    assert "cli" in run["tags"]
    assert uuid.UUID(outcome["run"])
    assert machine.stop() == 0
    assert machine.processes() == {}
    assert not (machine.home / "serve" / "tidegate.yaml").exists()
