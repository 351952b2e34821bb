"""Reverts in a real repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from clients.git import Repository
from clients.git_revert import push, revert
from release.errors import Refused
from sandbox.shop import history
from sandbox.shop.fastimport import git


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """main: good, then bad, then a commit after it."""
    made = history.build(tmp_path / "shop.git")
    git(made, "branch", "good", "main")
    history.add_commit(made, "main", "feat: prices", {"prices.txt": "wrong\n", "README.md": "changed\n"})
    git(made, "branch", "bad", "main")
    history.add_commit(made, "main", "feat: later", {"later.txt": "stays\n"})
    return made


def sha(bare: Path, ref: str) -> str:
    return git(bare, "rev-parse", ref).strip()


async def mirror(bare: Path, tmp_path: Path) -> Repository:
    return await Repository.open(str(bare), tmp_path / "cache" / "shop.git")


async def test_only_what_the_bad_version_changed_is_taken_back(bare: Path, tmp_path: Path) -> None:
    repository = await mirror(bare, tmp_path)
    commit = await revert(repository, "main", sha(bare, "bad"), sha(bare, "good"), "fix: take v9 back")
    await push(repository, commit, "revert/v9")
    assert sha(bare, "revert/v9^") == sha(bare, "main")
    assert git(bare, "show", "revert/v9:later.txt") == "stays\n"
    assert git(bare, "show", "revert/v9:README.md") == git(bare, "show", "good:README.md")
    assert "prices.txt" not in git(bare, "ls-tree", "--name-only", "revert/v9").split()
    assert git(bare, "log", "-1", "--format=%s", "revert/v9").strip() == "fix: take v9 back"
    # Asked again, the branch is moved and nothing else happens.
    await push(repository, commit, "revert/v9")


async def test_what_cannot_be_reverted_is_told(bare: Path, tmp_path: Path) -> None:
    bad, good = sha(bare, "bad"), sha(bare, "good")
    with pytest.raises(Refused, match="is not on develop"):
        await revert(await mirror(bare, tmp_path), "develop", bad, good, "x")
    history.add_commit(bare, "main", "feat: prices again", {"prices.txt": "other\n"})
    with pytest.raises(Refused, match="changed the same lines") as refused:
        await revert(await mirror(bare, tmp_path), "main", bad, good, "x")
    assert "git revert" in str(refused.value)


async def test_what_was_reverted_already_is_told(bare: Path, tmp_path: Path) -> None:
    repository = await mirror(bare, tmp_path)
    commit = await revert(repository, "main", sha(bare, "bad"), sha(bare, "good"), "fix: back")
    await push(repository, commit, "main")
    with pytest.raises(Refused, match="reverted already"):
        await revert(await mirror(bare, tmp_path), "main", sha(bare, "bad"), sha(bare, "good"), "fix: back")
