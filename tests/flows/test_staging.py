"""Staging: what it computes, and how it goes back to the digest that was there before."""

from __future__ import annotations

import json

import ask
import images
import pytest
from desk import Desk
from look import Look, Regions

from config import load
from release.versions import Version, parse_tag
from sandbox.shop import history
from sandbox.shop.fastimport import git

pytestmark = pytest.mark.slow


@pytest.fixture
def staged(desk: Desk, look: Look) -> Regions:
    """A good version is live in staging."""
    if look.live("staging")["staging"]["version"] != "1.4.0":
        assert desk.tidegate("stage", "v1.4.0").code == 0
    return look.digests("staging")


def test_a_version_that_a_person_names_is_built_once_and_told_where_it_runs(
    desk: Desk, look: Look, staged: Regions
) -> None:
    newest = max(parse_tag(tag) for tag in git(desk.bare, "tag").split())
    version = str(Version(newest.major + 1, 0, 0))
    commit = history.add_commit(desk.bare, "main", "feat: by hand", {"note.txt": "by hand\n"})
    result = desk.tidegate("stage", "main", "--version", version)
    assert (result.code, result.word, result.outcome["version"]) == (0, "released", version), result.text
    if load.settings().engine.builder == "engine":
        assert ask.fetched(result.outcome["run"], "staging-latest")
    # The version is built into the image; where it runs is told to it when it runs, because one image serves all.
    digest, labels = ask.image(f"staging-{version}") or ("", {})
    assert ask.image("staging-latest") == (digest, labels)
    assert labels["org.opencontainers.image.version"] == version
    assert labels["org.opencontainers.image.revision"] == commit
    assert look.digests("staging") == {"staging": (digest, 3)}
    spec = json.loads(look.kubectl("get", "deployments", "-o", "json", context="staging"))["items"][0]["spec"]
    variables = {one["name"]: one.get("value") for one in spec["template"]["spec"]["containers"][0]["env"]}
    assert variables["ENVIRONMENT"] == "staging"
    assert variables["DB_HOST"] == "staging-db.ecommerce.com"
    assert load.environment("staging").rolling.timeout == 600
    assert look.deployments(commit) == {"staging": ["in_progress", "success"]}
    assert ask.addresses(commit) == {"staging": load.environment("staging").regions["staging"].address}


def test_a_version_that_is_never_ready_goes_back_and_slack_is_told(desk: Desk, look: Look, staged: Regions) -> None:
    result = desk.tidegate("stage", "v1.8.0")
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert result.reason.startswith("staging: NotReady: ")
    look.back_on(staged, environment="staging")
    assert look.run(result.outcome["run"])["state"]["name"] == "Recovered"
    told = look.slack("deployments")[-1]
    commit = result.outcome["commit"]
    for part in ("Version: v1.8.0", f"Commit: {commit[:12]}", "Actor: ada", "NotReady", "Staging was brought back"):
        assert part in told
    assert look.deployments(commit)["staging"][-1] != "success"
    again = desk.tidegate("release", "v1.8.0")
    assert (again.code, again.word) == (2, "refused")


def test_the_wrong_image_under_the_right_tag_goes_back(desk: Desk, look: Look, staged: Regions) -> None:
    version, commit = desk.add_version()
    images.push(f"staging-{version}", images.of_version("0.0.1", commit))
    newest = ask.image("staging-latest")
    # Named by a person, it is believed; a tag's would be built anew.
    result = desk.tidegate("stage", commit, "--version", version)
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert result.reason.startswith("staging: smoke failed")
    assert ask.image("staging-latest") == newest
    look.back_on(staged, environment="staging")


def test_a_version_that_was_released_from_another_commit_is_refused(desk: Desk, look: Look, staged: Regions) -> None:
    version, _ = desk.add_version()
    images.push(f"v{version}", images.of_version(version, "e" * 40))
    before = look.versions()
    result = desk.tidegate("stage", f"v{version}")
    assert (result.code, result.word) == (2, "refused"), result.text
    assert f"v{version} was already built from eeeeeeeeeeee" in result.reason
    assert look.versions() == before


def test_tests_that_fail_change_nothing(desk: Desk, look: Look, staged: Regions) -> None:
    broken = (
        "import unittest\n\n\nclass T(unittest.TestCase):\n    def test(self):\n        self.fail('the till is open')\n"
    )
    history.add_commit(desk.bare, "feature/till", "feat: open the till", {"tests/unit/test_till.py": broken}, "main")
    before = look.versions()
    home = desk.variant(staging={"gates": {"protected_branch": "feature/till"}})
    result = desk.tidegate("stage", "feature/till", home=home)
    assert (result.code, result.word) == (3, "failed"), result.text
    assert result.reason.startswith("unit failed: 1 of ")
    assert "the till is open" in result.reason
    assert look.versions() == before
    assert "Staging was not changed" in look.slack("deployments")[-1]


def test_the_version_is_computed_from_the_commits_since_the_last_tag(desk: Desk, look: Look) -> None:
    history.add_commit(desk.bare, "main", "feat: wrap presents", {"PRESENTS": "yes\n"})
    last = max(parse_tag(tag) for tag in git(desk.bare, "tag", "--merged", "main").split())
    result = desk.tidegate("stage", "main")
    assert (result.code, result.word) == (0, "released"), result.text
    assert result.outcome["version"] == str(Version(last.major, last.minor + 1, 0))
    again = desk.tidegate("stage", "main")
    assert again.outcome["digest"] == result.outcome["digest"]
    assert "was built before" in again.text


def test_a_second_push_takes_over_the_version_that_nobody_released(desk: Desk, look: Look) -> None:
    first = history.add_commit(desk.bare, "main", "feat: count the presents", {"PRESENTS": "one\n"})
    result = desk.tidegate("stage", "main")
    assert (result.code, result.word) == (0, "released"), result.text
    version, digest = result.outcome["version"], result.outcome["digest"]
    history.add_commit(desk.bare, "main", "fix: count the presents again", {"PRESENTS": "two\n"})
    newer = desk.tidegate("stage", "main")
    assert (newer.code, newer.word) == (0, "released"), newer.text
    assert (newer.outcome["version"], newer.outcome["digest"] != digest) == (version, True)
    assert (ask.image(f"staging-{version}") or ("",))[0] == newer.outcome["digest"]
    assert (ask.image(f"staging-{first[:12]}") or ("",))[0] == digest
    assert look.digests("staging") == {"staging": (newer.outcome["digest"], 3)}
    # A person who names the version for another commit is refused, before a test is run.
    other = history.add_commit(desk.bare, "main", "fix: and again", {"PRESENTS": "three\n"})
    named = desk.tidegate("stage", other, "--version", version)
    assert (named.code, named.word) == (2, "refused"), named.text
    assert f"staging-{version} was already built from {newer.outcome['commit'][:12]}" in named.reason
    assert "unit" not in named.text
    # Git's tag decides whose the version is.
    git(desk.bare, "tag", f"v{version}", other)
    tagged = desk.tidegate("stage", f"v{version}")
    assert (tagged.code, tagged.word, tagged.outcome["commit"]) == (0, "released", other), tagged.text
    assert (ask.image(f"staging-{version}") or ("",))[0] == tagged.outcome["digest"]
