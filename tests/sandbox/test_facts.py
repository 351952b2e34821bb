"""What a scene looks at besides: each can be so, and not be so."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.errors import TidegateError
from sandbox import facts, state
from sandbox.shop import history
from sandbox.shop.fastimport import git

AS = ("-c", "user.name=ada", "-c", "user.email=ada@example.com")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    return history.build(state.folder(tmp_path) / "git" / "shop.git")


async def test_a_tag_counts_where_it_is_annotated_and_names_the_branch_s_commit(bare: Path):
    fact = facts.tagged("v1.6.1", "hotfix/stock")
    assert not await fact.holds()
    git(bare, "tag", "v1.6.1", "hotfix/stock")
    assert not await fact.holds(), "a lightweight one"
    git(bare, *AS, "tag", "--force", "-a", "-m", "of another commit", "v1.6.1", "main")
    assert not await fact.holds(), "of another commit"
    git(bare, *AS, "tag", "--force", "-a", "-m", "the hotfix", "v1.6.1", "hotfix/stock")
    assert await fact.holds()


async def test_a_branch_is_merged_where_the_other_one_holds_all_of_it(bare: Path):
    fact = facts.merged("main", "develop")
    assert await fact.holds(), "develop began from main"
    history.add_commit(bare, "main", "fix: more", {"note.txt": "more"})
    assert not await fact.holds()
    assert not await facts.merged("hotfix/nowhere", "main").holds()


async def test_what_is_not_there_is_not_so():
    async def found() -> bool:
        raise TidegateError("there is nothing")

    assert not await facts.Fact("something", found).holds()
