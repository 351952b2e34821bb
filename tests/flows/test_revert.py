"""The pull request that is offered once a version was taken back."""

from __future__ import annotations

import ask
import pytest
from desk import Desk, release
from look import Look, Regions

from sandbox.shop import history
from sandbox.shop.fastimport import git

pytestmark = pytest.mark.slow


def test_it_takes_the_change_back_and_leaves_what_came_later(desk: Desk, look: Look, good: Regions) -> None:
    live = "1.4.0"
    desk.released(f"v{live}")
    version, _ = desk.add_version()
    desk.stage(f"v{version}")
    desk.behave(version, "us-east-1", crashes=True)
    before = look.digests()
    taken = desk.tidegate(*release(f"v{version}"))
    assert taken.word == "recovered", taken.text
    look.back_on(before, "us-east-1")
    run = taken.outcome["run"][:8]
    assert f"tidegate revert {run}" in look.slack("incidents")[-1]
    history.add_commit(desk.bare, "main", "docs: a note", {"LATER.md": f"after {version}\n"})
    opened = desk.tidegate("revert", run, "--json")
    assert opened.code == 0, opened.text
    pull = ask.github("GET", f"pulls/{opened.outcome['pull_request']}")
    assert (pull["head"]["ref"], pull["base"]["ref"]) == (opened.outcome["branch"], "main")
    assert f"v{version} was taken back from production, which is on v{live} again" in pull["body"]
    assert "CrashLoopBackOff" in pull["body"]
    left = git(desk.bare, "diff", "--name-only", f"v{live}", opened.outcome["branch"]).split()
    assert left == ["LATER.md"]
    again = desk.tidegate("revert", run, "--json")
    assert again.outcome == opened.outcome, again.text


def test_what_was_released_is_not_reverted(desk: Desk, look: Look, good: Regions, another: str) -> None:
    released = desk.tidegate(*release(another))
    refused = desk.tidegate("revert", released.outcome["run"][:8])
    assert refused.code == 2
    assert "ended as released: there is nothing to revert" in refused.text
