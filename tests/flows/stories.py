"""`make demo` and `make tour`, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config import load


def told(
    name: str, home: Path, *, columns: int, timeout: float
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """The command that told the story of that name, in a home of its own, and what it wrote; it went as it should."""
    environment = {**os.environ, "TIDEGATE_HOME": str(home), "COLUMNS": str(columns)}
    command = [sys.executable, "-m", f"sandbox.{name}"]
    done = subprocess.run(command, cwd=load.CHECKOUT, env=environment, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads((home / f"{name}.json").read_text())
    assert written["wall_s"] == pytest.approx(written["setup_s"] + written["story_s"], abs=0.2)
    assert min(written["story_s"], written["setup_s"]) > 0
    return done, written
