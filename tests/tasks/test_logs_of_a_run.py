"""The lines that a release writes as JSON, in a process that sets its logs up as one that runs pipelines does.

Prefect's server is away: what says of which run and step a line is comes from the run's own context."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = "6f1f3f7e-7d45-4a51-9c58-0b8f4a6a1d11"
# Two regions side by side: one meets a mistake of ours, the other says something in a step of its own subflow.
RELEASE = f"""
import asyncio
from pathlib import Path
from uuid import UUID, uuid4
from flows.conclude import Draft
from flows.production import production
from flows.region import release_region
from flows.waves import forward
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.context import FlowRunContext, TaskRunContext
from config import load
from release.errors import Failed
from release.locking import Holder
from release.model import Artifact
from release.outcome import Outcome, RegionResult
from release.strategy import Want
from tasks import deploy, stop
from tasks.lock import Grip
from tasks.say import say

def flow_run(flow, name, **facts):
    run = FlowRun(flow_id=uuid4(), name=name, **facts)
    return FlowRunContext.model_construct(flow=flow, flow_run=run)

def task_run(task, name):
    own = FlowRunContext.get().flow_run.id
    run = TaskRun(task_key="shift", dynamic_key="0", name=name, flow_run_id=own)
    return TaskRunContext.model_construct(task=task, task_run=run)

async def each(region, *_):
    if region == "us-east-1":
        await asyncio.sleep(0.1)
        return {{}}["nothing"]
    with flow_run(release_region, region + ": 1.5.0", parent_task_run_id=uuid4()):
        say("preview is healthy", region=region)
        with task_run(deploy.shift, region + ": weight of green 25"):
            say("green now has 25 % of the users", region=region, warn=True)
    return RegionResult(region, "released", "1.5.0")

async def main():
    environment = load.environment("production")
    want = Want(Artifact("1.5.0", "sha256:1", "a"), "config", environment.rolling)
    draft = Draft(Outcome("production", "refused", strategy="canary"))
    with stop.stopping() as sign, flow_run(production, "v1.5.0 by ada", id=UUID("{ROOT}")):
        grip = Grip(environment, Holder("{ROOT}", "ada", "production v1.5.0"), sign)
        try:
            await forward(draft, grip, (("us-east-1", "eu-west-1"),), want, Path(), each)
        except Failed:
            say("stops here")

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """All that the process wrote to stderr: nothing else than lines of JSON."""
    told = {"TIDEGATE_LOG_JSON": "1", "PREFECT_LOGGING_TO_API_ENABLED": "false"}
    home = {"PREFECT_HOME": str(tmp_path_factory.mktemp("prefect")), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", RELEASE], env={**os.environ, **told, **home}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def line(written: list[dict[str, Any]], message: str) -> dict[str, Any]:
    return next(one for one in written if message in one["message"])


def test_every_line_of_a_release_is_of_its_root_run(written: list[dict[str, Any]]) -> None:
    assert [one["message"] for one in written] == [
        "wave: us-east-1, eu-west-1",
        "eu-west-1: preview is healthy",
        "eu-west-1: green now has 25 % of the users",
        "us-east-1: an error of Tidegate itself",
        "stops here",
    ]
    assert {one["run"] for one in written} == {ROOT}


@pytest.mark.parametrize(
    ("message", "level", "region", "step"),
    [
        ("wave: ", "INFO", "", "production"),
        ("an error of Tidegate itself", "ERROR", "us-east-1", "production"),
        ("preview is healthy", "INFO", "eu-west-1", "region"),
        ("25 % of the users", "WARNING", "eu-west-1", "eu-west-1: weight of green 25"),
        ("stops here", "INFO", "", "production"),
    ],
)
def test_a_line_says_of_which_region_and_step_it_is(
    written: list[dict[str, Any]], message: str, level: str, region: str, step: str
) -> None:
    found = line(written, message)
    assert (found["level"], found["region"], found["step"]) == (level, region, step)


def test_a_mistake_of_ours_is_written_whole(written: list[dict[str, Any]]) -> None:
    assert "KeyError: 'nothing'" in line(written, "an error of Tidegate itself")["error"]
