"""A run that breaks off unforeseen, or is ended, is told as one: nothing stays pending for ever."""

from __future__ import annotations

import os
import signal

import ask
import pytest
from desk import Desk
from look import Look

from sandbox.shop.fastimport import git

pytestmark = pytest.mark.slow
STATUS = "tidegate/development"


def states(commit: str) -> list[str]:
    return [one["state"] for one in ask.statuses(commit) if one["context"] == STATUS]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_leaves_no_pending_status(desk: Desk, look: Look, how: signal.Signals) -> None:
    commit = git(desk.bare, "rev-parse", "feature/wishlist").strip()
    with desk.start("develop", "feature/wishlist") as running:
        running.until(lambda: states(commit)[-1:] == ["pending"])
        os.kill(running.process.pid, how)
        running.process.wait(30)
    assert states(commit)[-1] == "failure"


def test_an_error_of_ours_leaves_no_pending_status(desk: Desk, look: Look) -> None:
    commit = git(desk.bare, "rev-parse", "feature/wishlist").strip()
    home = desk.variant()
    # A file where the run's folder must be made is no error that anybody foresaw.
    (home / "work").mkdir()
    (home / "work" / "runs").write_text("")
    result = desk.tidegate("develop", "feature/wishlist", home=home)
    assert result.code == 1, result.text
    assert states(commit)[-1] == "failure"
