"""A release where there are several of everything, while one API server and one worker are killed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from desk import OPEN, Desk, run_of
from look import Look, Regions
from several import Several, several

from config import load

pytestmark = pytest.mark.slow


def command(many: Several, *argv: str) -> list[str]:
    return [sys.executable, "-m", "deployments.cli", *argv]


def test_a_release_passes_while_an_api_server_and_its_worker_are_killed(
    desk: Desk, look: Look, good: Regions, another: str, tmp_path: Path
) -> None:
    database = load.settings().database
    assert database is not None
    assert database.url.file is not None
    home = desk.variant(production=OPEN)
    with several(tmp_path, home, database.url.file.read_text().strip()) as many:
        err = tmp_path / "stderr"
        with err.open("wb") as file:
            process = subprocess.Popen(
                command(many, "release", another, "--accept-no-way-back", "--json"),
                stdout=subprocess.PIPE,
                stderr=file,
                env={**many.environment(), "TIDEGATE_ACTOR": "ada"},
                cwd=load.CHECKOUT,
            )
        try:
            deadline = time.monotonic() + 240
            while "wave:" not in err.read_text():
                assert process.poll() is None, err.read_text()
                assert time.monotonic() < deadline, err.read_text()
                time.sleep(0.2)
            found = httpx.post(f"{many.api}/flow_runs/filter", json={}, timeout=10, trust_env=False).json()
            (run,) = [one["id"] for one in found if one["id"].startswith(run_of(err.read_text()))]
            worker = many.worker_of(run)
            many.kill("api-0")
            many.kill(worker)
            out, _ = process.communicate(timeout=300)
        finally:
            process.kill()
            process.wait()
        outcome = json.loads(out)
        assert (outcome["word"], process.returncode) == ("released", 0), err.read_text()
        assert {one["version"] for one in look.live().values()} == {another.removeprefix("v")}
        state = httpx.get(f"{many.api}/flow_runs/{run}", timeout=10, trust_env=False).json()["state"]
        assert state["name"] == "Released"
        # What is left goes on working: the other worker takes the next run.
        after = subprocess.run(
            command(many, "drift", "--json"),
            capture_output=True,
            env={**many.environment(), "TIDEGATE_ACTOR": "ada"},
            cwd=load.CHECKOUT,
            timeout=240,
            check=False,
        )
        assert json.loads(after.stdout)["word"] == "unchanged", after.stderr.decode()
