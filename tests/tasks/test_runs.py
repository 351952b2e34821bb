"""Folders of runs do not pile up."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tasks import runs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    return tmp_path / "work" / "runs"


def made(folder: Path, name: str, hours: float) -> None:
    (folder / name / "source-1").mkdir(parents=True)
    at = time.time() - hours * 3600
    os.utime(folder / name, (at, at))


def test_the_newest_are_kept_and_one_that_may_still_run(folder: Path) -> None:
    for name, hours in (("now", 0), ("young", 5), ("day", 24), ("week", 168), ("mine", 200), ("month", 720)):
        made(folder, name, hours)
    runs.prune("mine", kept=1)
    assert sorted(path.name for path in folder.iterdir()) == ["mine", "now", "young"]


def test_few_are_all_kept(folder: Path) -> None:
    made(folder, "month", 720)
    runs.prune("mine")
    assert [path.name for path in folder.iterdir()] == ["month"]
