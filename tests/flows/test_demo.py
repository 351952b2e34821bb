"""`make demo`, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import load

pytestmark = pytest.mark.slow
REGIONS = {"us-east-1", "eu-west-1", "ap-southeast-1"}
EXPECTED = [
    ("staging", "1.4.0", "rolling", "released"),
    ("production", "1.4.0", "rolling", "released"),
    ("staging", "1.5.0", "rolling", "released"),
    ("production", "1.5.0", "rolling", "recovered"),
    ("production", "1.6.0", "rolling", "refused"),
    ("staging", "1.6.0", "rolling", "released"),
    ("production", "1.6.0", "canary", "released"),
    ("staging", "1.7.0", "rolling", "released"),
    ("production", "1.7.0", "canary", "recovered"),
]


def test_the_demo_tells_its_story_and_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "TIDEGATE_HOME": str(tmp_path), "COLUMNS": "160"}
    command = [sys.executable, "-m", "sandbox.demo"]
    done = subprocess.run(command, cwd=load.CHECKOUT, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads((tmp_path / "demo.json").read_text())
    assert written["wall_s"] > 0
    releases = written["releases"]
    assert [(one["pipeline"], one["version"], one["strategy"], one["outcome"]) for one in releases] == EXPECTED
    first, _, _, crashed, refused, good, canary, _, bad = releases
    assert crashed["reason"].startswith("ap-southeast-1: CrashLoopBackOff: ")
    assert "staging never verified v1.6.0" in refused["reason"]
    assert "ROLLBACK" in bad["reason"]
    assert bad["failing_requests"] > 0
    lives = {"1.4.0": (releases[1], crashed, refused), "1.6.0": (canary, bad)}
    built = {"1.4.0": first["regions"]["staging"]["digest"], "1.6.0": good["regions"]["staging"]["digest"]}
    for version, after in lives.items():
        for one in after:
            assert set(one["regions"]) == REGIONS
            found = {(region["version"], region["ready"], region["digest"]) for region in one["regions"].values()}
            assert found == {(version, 10, built[version])}
    told = (done.stdout + done.stderr).replace("\n", " ")
    assert "way back: back to v1.4.0 in" in told
    assert "v1.5.0 was bad and was brought back" in told
    assert "requests failed in" in told
    assert left(tmp_path) == []


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
