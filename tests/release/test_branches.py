from __future__ import annotations

from dataclasses import replace

import pytest

from release.branches import Pull, check_pull, deployed, development_branch
from release.errors import Refused
from release.versions import shown


@pytest.mark.parametrize("branch", ["develop", "feature/x", "feature/a/b", "bugfix/x"])
def test_what_development_builds(branch: str):
    assert development_branch(branch) == branch
    assert development_branch(f"refs/heads/{branch}") == branch


@pytest.mark.parametrize(
    "ref",
    ["main", "feature", "feature/", "bugfix/", "hotfix/x", "v1.4.0", "develop2", "refs/tags/develop", "", "a" * 40],
)
def test_what_it_refuses(ref: str):
    with pytest.raises(Refused, match=r"feature/\*\*, bugfix/\*\* and develop, and .* is none of them") as caught:
        development_branch(ref)
    assert caught.value.field == "ref"


def test_only_develop_is_deployed():
    assert [deployed(branch) for branch in ("develop", "feature/x", "feature/develop")] == [True, False, False]


PULL = Pull(7, True, "anything", "a" * 40, "acme/shop", "develop")


@pytest.mark.parametrize(
    ("pull", "rule"),
    [
        (replace(PULL, repository="mallory/shop"), r"comes from a fork \(mallory/shop\): whoever wrote it could read"),
        (replace(PULL, repository=None), r"comes from a fork \(one that is gone\)"),
        (replace(PULL, base="main"), "is to main; development builds those to develop"),
        (replace(PULL, open=False), "is closed"),
    ],
)
def test_a_pull_request_that_is_not_built(pull: Pull, rule: str):
    with pytest.raises(Refused, match=rule) as caught:
        check_pull(pull, "acme/shop")
    assert caught.value.field == "pull"


def test_a_pull_request_of_the_repository_itself():
    check_pull(PULL, "acme/shop")
    check_pull(PULL, "Acme/Shop")


def test_versions_as_people_are_told_them():
    assert [shown(text) for text in ("1.4.0", "dev-" + "0123456789" * 4, "feature/x", "")] == [
        "v1.4.0",
        "dev-012345678901",
        "feature/x",
        "",
    ]
