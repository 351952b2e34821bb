"""A run of a deployment that waits at its gates has no process, and survives the end of what runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ask
import httpx
import pytest
from desk import Desk
from look import Look, Regions

from config import load

pytestmark = pytest.mark.slow

NAME = "tests-of-gates"
SERVE = f"from flows.production import production; production.serve(name={NAME!r})"


class Server:
    """What runs production's deployment: one process that asks Prefect for runs each second."""

    def __init__(self, desk: Desk) -> None:
        self.api = str(load.settings().prefect.api)
        env = {**desk.environment(desk.home), "PREFECT_API_URL": self.api, "PREFECT_RUNNER_POLL_FREQUENCY": "1"}
        env["PYTHONPATH"] = str(load.CHECKOUT)
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE],
            cwd=load.CHECKOUT,
            env=env,
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,
        )

    def begin(self, **parameters: Any) -> str:
        """A run of the deployment, as Prefect's page makes one."""
        deployment = until(lambda: self._find())["id"]
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self._post(f"deployments/{deployment}/create_flow_run", body)["id"])

    def kill(self) -> None:
        """It and every run it began, at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def end(self) -> None:
        self.kill()
        if found := self._find():
            httpx.delete(f"{self.api}/deployments/{found['id']}", timeout=10, trust_env=False)

    def runs(self) -> int:
        """How many processes of runs there are."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return sum(len(path.read_text().split()) for path in children)

    def _find(self) -> Any:
        body = {"deployments": {"name": {"any_": [NAME]}}}
        found = self._post("deployments/filter", body)
        return found[0] if found else None

    def _post(self, path: str, body: Any) -> Any:
        return httpx.post(f"{self.api}/{path}", json=body, timeout=20, trust_env=False).raise_for_status().json()


def until(what: Callable[[], Any], within: float = 90.0) -> Any:
    deadline = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < deadline, "never"
        time.sleep(0.2)
    return found


@pytest.fixture
def server(desk: Desk, look: Look) -> Iterator[list[Server]]:
    """The newest one is the last."""
    servers = [Server(desk)]
    yield servers
    servers[-1].end()


def test_it_has_no_process_and_goes_on_after_everything_was_killed(
    desk: Desk, look: Look, good: Regions, another: str, server: list[Server]
) -> None:
    desk.people(approve=False)
    before = look.versions()
    run = server[0].begin(tag=another, actor="ada", accept_no_way_back=True)
    until(lambda: look.run(run)["state"]["name"] == "AwaitingApproval")
    until(lambda: server[0].runs() == 0)
    assert look.versions() == before, "what waits holds no lock and changes nothing"
    server[0].kill()
    server.append(Server(desk))
    # Nobody proved who asked: one more than the two must approve.
    assert "2 more must approve" in desk.vote(run[:8], "bob").text
    until(lambda: any("bob approved" in line for line in ask.log(run)))
    until(lambda: look.run(run)["state"]["name"] == "AwaitingApproval")
    form = {"approver": "eve", "code": desk.code("eve"), "decision": "approve", "reason": "in Prefect's page"}
    assert ask.resume(run, form) == "ACCEPT"
    until(lambda: any("bob, eve approved" in line for line in ask.log(run)))
    desk.people(approve=True)
    until(lambda: look.run(run)["state"]["name"] == "Released", 180)
    assert {one["version"] for one in look.live().values()} == {another.removeprefix("v")}
    assert len([text for text in look.slack("releases") if f"tidegate approve {run[:8]}" in text]) == 1
