"""Who watches the window that a release at the command line left open."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployments.cli import detached
from release.outcome import Outcome

OPEN = Outcome("production", "released", "1.4.0", window="2026-11-23T09:30:00Z")


def test_a_worker_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.delenv("TIDEGATE_GUARD", raising=False)
    watched = Outcome("production", "released", "1.4.0", window=OPEN.window, guard="worker")
    told = detached.watched(watched)
    assert told == "The rollback window is open until 2026-11-23T09:30:00Z; a worker watches it."
    assert list(tmp_path.iterdir()) == []


def test_turned_off_it_says_how_to_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEGATE_GUARD", "off")
    assert "`tidegate guard production` watches it" in detached.watched(OPEN)
    assert list(tmp_path.iterdir()) == []
