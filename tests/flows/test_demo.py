"""`make demo`, as a user runs it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from stories import told
from waiting import until

from config import load

pytestmark = pytest.mark.slow
REGIONS = {"us-east-1", "eu-west-1", "ap-southeast-1"}
EXPECTED = [
    ("staging", "1.4.0", "rolling", "released"),
    ("production", "1.4.0", "rolling", "released"),
    ("staging", "1.6.0", "rolling", "released"),
    ("production", "1.6.0", "canary", "released"),
    ("staging", "1.7.0", "rolling", "released"),
    ("production", "1.7.0", "canary", "recovered"),
    ("production", "1.8.0", "rolling", "refused"),
]


def test_the_demo_tells_its_story_and_leaves_nothing(tmp_path: Path) -> None:
    done, written = told("demo", tmp_path, columns=160, timeout=900)
    if builder := os.environ.get("TIDEGATE_TESTS_BUILDER"):
        Path(builder).write_text(written["builder"])
    if os.geteuid() == 0 and shutil.which("apt-get"):
        assert written["builder"] == "Docker Engine", "where one may be installed, only a real engine counts"
    releases = written["releases"]
    assert [(one["pipeline"], one["version"], one["strategy"], one["outcome"]) for one in releases] == EXPECTED
    first, live, good, canary, _, bad, refused = releases
    after(live, first, "1.4.0")
    for one in (canary, bad, refused):
        after(one, good, "1.6.0")
    assert "ROLLBACK" in bad["reason"]
    assert bad["failing_requests"] > 0
    assert "staging never verified v1.8.0" in refused["reason"]
    text = (done.stdout + done.stderr).replace("\n", " ")
    for part in ("way back: back to v1.4.0 in", "v1.7.0 was bad and was brought back", "requests failed in"):
        assert part in text
    assert done.stderr.count("now has 25 %") == len(REGIONS), "the bad one was taken back at its first weight"
    assert left(tmp_path) == []


# A story of one short scene, as `make demo` tells its own.
SHORT = """
import sys
from sandbox.story import Scene, tell
refused = Scene("Release v1.8.0, which staging never verified", ("release", "v1.8.0"), "refused", None)
sys.exit(tell((refused,), speed=30, name="short"))
"""


def test_a_demo_that_is_kept_has_the_board_and_alerts_and_a_push_starts_staging(tmp_path: Path) -> None:
    home = tmp_path / "home"
    identity = {f"GIT_{who}_{what}": "dev" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **identity, "TIDEGATE_HOME": str(home), "COLUMNS": "160", "KEEP": "1"}
    run = partial(subprocess.run, env=environment, capture_output=True, text=True, timeout=600)
    try:
        done = run([sys.executable, "-c", SHORT], cwd=load.CHECKOUT)
        assert done.returncode == 0, done.stdout + done.stderr
        kept = done.stdout.partition("Left up")[2]
        found = dict(re.findall(r"^  (the board|metrics|Prometheus|Prefect) +(\S+)$", kept, re.MULTILINE))
        assert "nothing is live" in get(found["the board"])
        until(lambda: "deployments_total" in get(found["metrics"]), 60)
        rules = json.loads(get(found["Prometheus"].replace("/alerts", "/api/v1/rules")))["data"]["groups"]
        assert "DeploymentFailed" in [rule["name"] for group in rules for rule in group["rules"]]
        clone, push = kept.partition("starts staging:\n")[2].splitlines()[:2]
        pushed = run(["bash", "-ec", f"{clone}\n{push}"], cwd=tmp_path)
        assert pushed.returncode == 0, pushed.stderr
        asked = {"flows": {"name": {"any_": ["staging"]}}}
        runs = f"{found['Prefect']}/api/flow_runs/filter"
        [staging] = until(lambda: httpx.post(runs, json=asked, timeout=10, trust_env=False).json(), 30)
        assert (staging["parameters"]["ref"], set(staging["tags"])) == ("main", {"github", "staging", "push"})
    finally:
        run([sys.executable, "-m", "deployments.cli", "sandbox", "down", "--purge"], cwd=load.CHECKOUT)


def get(address: str) -> str:
    return httpx.get(address, timeout=10, trust_env=False).text


def after(release: dict[str, Any], staged: dict[str, Any], version: str) -> None:
    """Every region has ten Ready pods of the image that staging built of the version."""
    assert set(release["regions"]) == REGIONS
    found = {(region["version"], region["ready"], region["digest"]) for region in release["regions"].values()}
    assert found == {(version, 10, staged["regions"]["staging"]["digest"])}


def left(home: Path) -> list[str]:
    """Processes that still name the folder, in their command line or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            if str(home).encode() in command + (entry / "environ").read_bytes():
                found.append(command.replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
