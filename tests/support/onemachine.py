"""A `tidegate serve --all` on this machine, to be killed, and looked at from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx
from waiting import until

from config import load
from sandbox.ports import free_port

HTTP = httpx.Client(trust_env=False, timeout=10)


class Machine:
    """Over a folder of its own; `own` are variables of its environment."""

    def __init__(self, home: Path, own: Mapping[str, str]) -> None:
        self.home, self.port, self.service = home, free_port(), free_port()
        self.api, self.url = f"http://127.0.0.1:{self.port}/api", f"http://127.0.0.1:{self.service}"
        self.process: subprocess.Popen[bytes] | None = None
        self._own = own

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self.process is not None:
            self.kill()

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "TIDEGATE_HOME": str(self.home),
            "TIDEGATE__PREFECT__API": self.api,
            "TIDEGATE__SERVICE__PORT": str(self.service),
            **self._own,
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
        until(self._struck, 60)
        self.process.wait()

    def _struck(self) -> bool:
        found = self.processes()
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not found

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

    def runs(self) -> list[dict[str, Any]]:
        return list(HTTP.post(f"{self.api}/flow_runs/filter", json={}).raise_for_status().json())

    def run(self, number: str) -> dict[str, Any]:
        return dict(HTTP.get(f"{self.api}/flow_runs/{number}").raise_for_status().json())

    def states(self, number: str) -> list[dict[str, Any]]:
        """Every state that the run was in, oldest first."""
        found = HTTP.get(f"{self.api}/flow_run_states/", params={"flow_run_id": number}).raise_for_status().json()
        return sorted(found, key=lambda one: one["timestamp"])

    def log(self, number: str) -> list[tuple[str, str]]:
        """(when, text) of the run's first lines, oldest first."""
        body = {"logs": {"flow_run_id": {"any_": [number]}}, "sort": "TIMESTAMP_ASC", "limit": 200}
        found = HTTP.post(f"{self.api}/logs/filter", json=body).raise_for_status().json()
        return [(one["timestamp"], one["message"]) for one in found]

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
