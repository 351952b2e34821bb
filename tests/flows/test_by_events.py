"""Runs that nobody starts by hand, and those that a worker runs: by webhooks, at its gates, from the command line."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import ask
import httpx
import pytest
import yaml
from chromium import Page
from desk import Desk, release, run_of
from look import Look, Regions
from processes import begin_group
from waiting import until

from config import load
from sandbox.outside import DEVELOPER

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def serving(desk: Desk) -> Iterator[str]:
    """A worker, the deployments and the service, for the sandbox that is up: the service's address. One that was
    brought up with them (TIDEGATE_TESTS_HOME, `sandbox up --serve`) has them already."""
    settings = yaml.safe_load((desk.home / "overlay" / "tidegate.yaml").read_text())["service"]
    address = f"http://{settings['host']}:{settings['port']}"
    if answers(address):
        yield address
        return
    log = desk.folder() / "log"
    command = [sys.executable, "-m", "deployments.cli", "serve", "--worker"]
    process = begin_group(command, log, desk.environment(desk.home))
    try:
        until(lambda: "ready after" in log.read_text() or process.poll() is not None, 300)
        assert process.poll() is None, log.read_text()
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", trust_env=False).is_success
    except httpx.HTTPError:
        return False


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


def press(desk: Desk, address: str, run: str, user: str) -> int:
    """Somebody presses Approve in Slack; what the service answers."""
    action = {"action_id": "tidegate_approve", "value": run, "action_ts": str(time.time())}
    payload = {"type": "block_actions", "user": {"id": user}, "trigger_id": run, "actions": [action]}
    body, moment = urlencode({"payload": json.dumps(payload)}).encode(), str(int(time.time()))
    signed = hmac.new(secret(desk, "slack-signing").encode(), b"v0:" + moment.encode() + b":" + body, hashlib.sha256)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": moment,
        "X-Slack-Signature": f"v0={signed.hexdigest()}",
    }
    return httpx.post(f"{address}/slack/interactions", content=body, headers=headers, trust_env=False).status_code


async def seen(run: str, picture: str, *texts: str) -> None:
    """A person opens the run's page in Prefect and reads it. TIDEGATE_TESTS_PICTURES names a folder that gets what is
    seen, for the documents."""
    async with Page() as page:
        await page.look(width=1280, height=800)
        await page.go(f"{str(load.settings().prefect.api).removesuffix('/api')}/runs/flow-run/{run}")
        for text in texts:
            await page.shows(text)
        if kept := os.environ.get("TIDEGATE_TESTS_PICTURES"):
            await asyncio.sleep(6)  # the page draws its graph and lines a while after its words
            await page.picture(Path(kept) / picture)


def ended(look: Look, run: str) -> dict[str, Any]:
    found: dict[str, Any] = until(lambda: (now := look.run(run))["end_time"] and now)
    return found


def test_a_push_stages_and_a_published_release_waits_for_two_people(
    desk: Desk, look: Look, serving: str, tmp_path: Path
) -> None:
    first = desk.released("v1.4.0")
    assert look.run(first.outcome["run"])["deployment_id"], "a worker ran what was asked for at the command line"
    known = {run["id"] for flow in ("staging", "production") for run in runs(flow)}

    def new(flow: str) -> dict[str, Any] | None:
        return next((run for run in runs(flow) if run["id"] not in known), None)

    commit = push(desk, tmp_path, "main", "feat: a note")
    staging = until(lambda: new("staging"), 20)
    asked = {key: staging["parameters"][key] for key in ("ref", "actor", "wait_for_lock")}
    assert asked == {"ref": "main", "actor": DEVELOPER, "wait_for_lock": True}
    staged = ended(look, staging["id"])
    assert staged["state"]["name"] == "Released", staged["state"]
    asyncio.run(seen(staging["id"], "prefect-push.png", "Released", DEVELOPER))
    version = next(iter(look.live("staging").values()))["version"]

    desk.people(approve=False)
    publish(desk, f"v{version}", commit, "A note.\n\nstrategy: blue-green")
    production = until(lambda: new("production"), 20)
    asked = {key: production["parameters"][key] for key in ("tag", "strategy", "actor")}
    assert asked == {"tag": f"v{version}", "strategy": "blue-green", "actor": DEVELOPER}
    until(lambda: look.run(production["id"])["state"]["name"] == "AwaitingApproval")
    assert {one["version"] for one in look.live().values()} == {"1.4.0"}
    asyncio.run(seen(production["id"], "prefect-waits.png", "AwaitingApproval", "Resume"))
    refused = desk.vote(production["id"][:8], DEVELOPER)
    assert refused.code == 2, "who asked cannot approve"
    assert desk.vote(production["id"][:8], "ada").code == 0
    assert press(desk, serving, production["id"], "UBOB") == 200
    done = ended(look, production["id"])
    assert done["state"]["name"] == "Released", done["state"]
    asyncio.run(seen(production["id"], "prefect-published.png", "Released", "us-east-1"))
    assert {one["version"] for one in look.live().values()} == {version}
    started = [run for flow in ("staging", "production") for run in runs(flow) if run["id"] not in known]
    assert len(started) == 2, "the tag that GitHub made for the release started nothing"


def test_a_waiting_release_is_ended_by_abort(desk: Desk, look: Look, good: Regions, serving: str) -> None:
    tag = "v1.6.0" if {one["version"] for one in look.live().values()} != {"1.6.0"} else "v1.4.0"
    desk.stage(tag)
    desk.people(approve=False)
    with desk.start(*release(tag)) as running:
        running.until("AwaitingApproval")
        run = run_of(running.text)
        aborted = desk.tidegate("abort", run, "--reason", "not today")
        assert aborted.code == 0, aborted.text
        result = running.end()
    assert result.code == 1
    assert "Cancelled" in result.text
    assert look.digests() == good


def test_a_command_that_is_interrupted_leaves_its_run(desk: Desk, look: Look, serving: str) -> None:
    with desk.start("develop", "feature/wishlist") as running:
        running.until("Ctrl-C leaves it running")
        number = run_of(running.text)
        os.kill(running.process.pid, signal.SIGINT)
        result = running.end()
    assert result.code == 130
    assert f"tidegate watch {number}" in result.text
    assert ended(look, ask.whole(number))["state"]["name"] == "Built"
