"""One guard a window on a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.guarding import alone

END = "2026-11-23T09:30:00Z"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    return tmp_path


def test_a_second_guard_of_the_same_window_is_none(home: Path) -> None:
    with alone("production", END) as first:
        assert first
        with alone("production", END) as second:
            assert not second
        with alone("production", "2026-11-23T09:45:00Z") as later, alone("staging", END) as elsewhere:
            assert later
            assert elsewhere
    assert list((home / "work" / "guard").iterdir()) == []
    with alone("production", END) as again:
        assert again


def test_what_a_killed_guard_left_keeps_nobody_out(home: Path) -> None:
    left = home / "work" / "guard" / "production-2026-11-23T093000Z.pid"
    left.parent.mkdir(parents=True)
    left.write_text("1")
    with alone("production", END) as mine:
        assert mine
        assert left.read_text() != "1"
