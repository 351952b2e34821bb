from __future__ import annotations

import time
from pathlib import Path

import pytest

from release.errors import TidegateError
from sandbox.shop import history
from sandbox.shop.fastimport import git


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return history.build(tmp_path / "shop.git")


def log(bare: Path, span: str) -> list[str]:
    return git(bare, "log", "--format=%s", span).splitlines()


def test_it_is_the_same_every_time_and_quick(tmp_path: Path, bare: Path):
    started = time.monotonic()
    other = history.build(tmp_path / "again" / "other.git")
    assert time.monotonic() - started < 3
    assert git(bare, "show-ref") == git(other, "show-ref")
    assert git(bare, "fsck", "--strict") == ""


def test_branches_and_annotated_tags(bare: Path):
    heads = git(bare, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    assert heads == ["bugfix/rounding", "chores", "develop", "feature/wishlist", "hotfix/stock", "main"]
    tags = git(bare, "for-each-ref", "--format=%(refname:short) %(objecttype)", "refs/tags").splitlines()
    assert tags == [f"v1.{minor}.0 tag" for minor in range(3, 9)]
    assert git(bare, "symbolic-ref", "HEAD").strip() == "refs/heads/main"


def test_every_release_is_on_main(bare: Path):
    merged = git(bare, "tag", "--merged", "main").split()
    assert merged == [f"v1.{minor}.0" for minor in range(3, 9)]


def test_what_is_bad_is_in_the_commit(bare: Path):
    def labels(ref: str) -> list[str]:
        text = git(bare, "show", f"{ref}:Dockerfile")
        return [line for line in text.splitlines() if line.startswith("LABEL dev.tidegate.sandbox.")]

    assert labels("v1.3.0") == labels("v1.4.0") == labels("v1.6.0") == labels("main") == []
    assert labels("v1.5.0") == ['LABEL dev.tidegate.sandbox.crash="ap-southeast-1"']
    assert labels("v1.7.0") == [
        'LABEL dev.tidegate.sandbox.error-rate="us-east-1=0.06,eu-west-1=0.06,ap-southeast-1=0.06"'
    ]
    assert labels("v1.8.0") == ['LABEL dev.tidegate.sandbox.never-ready="everywhere"']


def test_main_can_be_released_and_chores_cannot(bare: Path):
    assert [subject.split("(")[0] for subject in log(bare, "v1.8.0..main")] == ["feat", "fix"]
    assert [subject.split(":")[0] for subject in log(bare, "v1.8.0..chores")] == ["docs", "chore"]


def test_a_version_is_added(bare: Path):
    before = git(bare, "rev-parse", "main").strip()
    sha = history.add_version(bare, "1.9.0", {"latency": "0.5", "com.example.other": "x"})
    assert git(bare, "rev-parse", "v1.9.0^{commit}", "main", "main^").split() == [sha, sha, before]
    text = git(bare, "show", "v1.9.0:Dockerfile")
    assert 'LABEL com.example.other="x"\nLABEL dev.tidegate.sandbox.latency="0.5"\n' in text
    history.add_version(bare, "1.9.1")
    assert git(bare, "show", "v1.9.1:Dockerfile") == git(bare, "show", "main~2:Dockerfile")


def test_a_version_without_a_tag_on_another_branch(bare: Path):
    sha = history.add_version(bare, "2.0.0", {"crash": "everywhere"}, branch="develop", tag=False)
    assert git(bare, "rev-parse", "develop").strip() == sha
    assert "v2.0.0" not in git(bare, "tag").split()


def test_a_commit_starts_a_branch(bare: Path):
    sha = history.add_commit(bare, "hotfix/price", "fix: price", {"note.txt": "x"}, base="v1.4.0")
    assert git(bare, "rev-parse", "hotfix/price", "hotfix/price^").split() == [
        sha,
        git(bare, "rev-parse", "v1.4.0^{commit}").strip(),
    ]
    assert history.add_commit(bare, "hotfix/price", "test: price") != sha


def test_an_unknown_base_is_told(bare: Path):
    with pytest.raises(TidegateError, match="git log failed"):
        history.add_commit(bare, "x", "fix: x", base="v9.9.9")


def test_the_hotfix_can_be_merged_by_itself(bare: Path) -> None:
    for base in ("main", "develop"):
        git(bare, "merge-tree", "--write-tree", base, "hotfix/stock")


def test_every_release_has_notes_of_what_came_since_the_one_before():
    notes = history.release_notes()
    assert list(notes) == [f"v1.{minor}.0" for minor in range(3, 9)]
    assert notes["v1.5.0"].splitlines()[-1] == "- feat(prices): read a price list for each region"
    assert "open the shop" in notes["v1.3.0"]
    assert "open the shop" not in notes["v1.4.0"]
