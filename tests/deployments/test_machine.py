"""`tidegate serve --all`: everything comes up, what dies comes back, and a restart leaves what waits as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from hooks import SECRET, headers, pushed
from onemachine import HTTP, Machine
from waiting import until

from config import load
from deployments.service.webhook import PATH

pytestmark = pytest.mark.slow


def deliver(machine: Machine, branch: str, delivery: str) -> httpx.Response:
    body = pushed(branch, after=delivery)
    return HTTP.post(f"{machine.url}{PATH}", content=body, headers=headers(body, delivery=delivery))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """With nothing to release."""
    (tmp_path / "webhook").write_bytes(SECRET)
    secret = {"TIDEGATE__SERVICE__GITHUB_SECRET__FILE": str(tmp_path / "webhook")}
    found = Machine(tmp_path, {"TIDEGATE__APPLICATION__GIT": f"file://{tmp_path}/nothing.git", **secret})
    with found:
        yield found


def test_it_keeps_its_parts_up_and_what_waits_over_a_power_cut(machine: Machine) -> None:
    paused = {"type": "PAUSED", "name": "AwaitingApproval", "state_details": {"pause_reschedule": True}}
    waits, later = machine.create(paused | {"message": "2 more must approve"}), machine.create({})
    pending, running = machine.create({"type": "PENDING"}), machine.create({"type": "RUNNING"})
    pool = ThreadPoolExecutor(8)
    codes = list(pool.map(lambda _: deliver(machine, "hotfix/x", "again").status_code, range(100)))
    assert sorted(codes) == [200] * 99 + [202]

    os.kill(machine.pid_of("deployments.server"), signal.SIGKILL)
    codes = [deliver(machine, f"hotfix/{number}", f"away-{number}").status_code for number in range(5)]
    assert set(codes) <= {202, 503}, "PostgreSQL ends with the server that was killed"
    until(lambda: HTTP.get(f"{machine.url}/readyz").json().get("prefect"), 120)
    for number in range(5):
        assert deliver(machine, f"hotfix/{number}", f"away-{number}").status_code in (200, 202)

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
