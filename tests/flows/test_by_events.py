"""Runs that nobody starts by hand: a push and a published release of the sample shop, through GitHub's webhooks."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from desk import Desk, Running
from look import Look

from config import load
from release.versions import parse_tag

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def serving(desk: Desk) -> Iterator[Running]:
    """A worker, the deployments and the service, for the sandbox that is up."""
    with desk.start("serve", "--worker") as running:
        ready = desk.home / "serve" / "logs" / "service.log"
        running.until(lambda: ready.exists() and "serving on" in ready.read_text(), 240)
        yield running
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(60) == 0


def secret(desk: Desk, name: str) -> str:
    return (desk.home / "sandbox" / "secrets" / name).read_text()


def push(desk: Desk, folder: Path, branch: str, subject: str) -> str:
    """What a developer does: clone, commit, push; the commit."""
    address = load.settings().application.git.replace("//", f"//tidegate:{secret(desk, 'git')}@")

    def git(*argv: str) -> str:
        identity = ("-c", "user.name=Dev", "-c", "user.email=dev@example.com")
        done = subprocess.run(("git", *identity, *argv), cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("clone", "-q", "--branch", branch, address, ".")
    (folder / "note.txt").write_text(f"{time.time()}\n")
    git("add", "note.txt")
    git("commit", "-q", "-m", subject)
    git("push", "-q", "origin", f"HEAD:{branch}")
    return git("rev-parse", "HEAD")


def publish(desk: Desk, tag: str, commit: str, body: str) -> None:
    """What a release manager does on GitHub's page."""
    settings = load.settings()
    address = f"{settings.github.url}/repos/{settings.application.github}/releases"
    headers = {"Authorization": f"Bearer {secret(desk, 'github-developer')}"}
    release = {"tag_name": tag, "target_commitish": commit, "body": body}
    httpx.post(address, json=release, headers=headers, timeout=10, trust_env=False).raise_for_status()


def runs(flow: str) -> list[dict[str, Any]]:
    """The runs of the deployment of a flow, newest first."""
    body = {"deployments": {"name": {"any_": [flow]}}, "sort": "EXPECTED_START_TIME_DESC"}
    answer = httpx.post(f"{load.settings().prefect.api}/flow_runs/filter", json=body, timeout=10, trust_env=False)
    return [run for run in answer.raise_for_status().json() if "github" in run["tags"]]


def until(what: Callable[[], Any], within: float = 240) -> Any:
    deadline = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.3)
    return found


def test_a_push_to_main_stages_and_a_published_release_goes_to_production(
    desk: Desk, look: Look, serving: Running, tmp_path: Path
) -> None:
    desk.released("v1.4.0")
    known = {run["id"] for flow in ("staging", "production") for run in runs(flow)}

    def new(flow: str) -> dict[str, Any] | None:
        return next((run for run in runs(flow) if run["id"] not in known), None)

    began = time.monotonic()
    commit = push(desk, tmp_path, "main", "feat: a note")
    staging = until(lambda: new("staging"), 20)
    asked = time.monotonic() - began
    assert staging["parameters"] == {
        "ref": "main",
        "actor": "developer",
        "version": None,
        "wait_for_lock": True,
    } or staging["parameters"] == {"ref": "main", "actor": "developer", "wait_for_lock": True}
    staged = until(lambda: (run := look.run(staging["id"]))["end_time"] and run)
    assert staged["state"]["name"] == "Released", staged["state"]
    version = next(iter(look.live("staging").values()))["version"]
    assert asked < 15

    publish(desk, f"v{version}", commit, "A note.\n\nstrategy: blue-green")
    production = until(lambda: new("production"), 20)
    assert {key: production["parameters"][key] for key in ("tag", "strategy", "actor")} == {
        "tag": f"v{parse_tag(f'v{version}')}",
        "strategy": "blue-green",
        "actor": "developer",
    }
    begun = until(lambda: (run := look.run(production["id"]))["start_time"] and run)
    assert begun["state"]["name"] not in ("Refused", "Crashed")
    assert len([run for flow in ("staging", "production") for run in runs(flow) if run["id"] not in known]) == 2
