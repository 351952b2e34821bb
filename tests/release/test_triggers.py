"""Which run a GitHub event starts, and that whatever else comes starts nothing."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.hotfix_messages import Fix, merge_message, release_body
from release.model import Artifact
from release.reverting import Revert, pull_request
from release.triggers import Ignored, Source, Start, decide, own

SOURCE = Source("example/shop", "main")
FIX = Fix("hotfix/stock", "critical", Artifact("1.6.1", "sha256:" + "a" * 64, "b" * 40), "0f9d", ("unit",))


def push(ref: str, message: str = "fix: it", **more: Any) -> dict[str, Any]:
    event: dict[str, Any] = {"ref": ref, "deleted": False, "head_commit": {"message": message}}
    return {**event, **common(), **more}


def common() -> dict[str, Any]:
    return {"repository": {"full_name": "example/shop"}, "sender": {"login": "ada"}}


def pull(action: str = "opened", base: str = "develop", **head: Any) -> dict[str, Any]:
    own_head = {"ref": "feature/x", "sha": "c" * 40, "repo": {"full_name": "example/shop"}}
    request = {"number": 7, "state": "open", "head": {**own_head, **head}, "base": {"ref": base}}
    return {"action": action, "number": 7, "pull_request": request, **common()}


def published(body: str | None = "", action: str = "published", **more: Any) -> dict[str, Any]:
    release = {"tag_name": "v1.4.0", "draft": False, "prerelease": False, "body": body, **more}
    return {"action": action, "release": release, **common()}


def started(name: str, event: dict[str, Any]) -> Start:
    found = decide(name, event, SOURCE)
    assert isinstance(found, Start), found
    return found


def ignored(name: str, event: dict[str, Any]) -> str:
    found = decide(name, event, SOURCE)
    assert isinstance(found, Ignored), found
    return found.reason


@pytest.mark.parametrize("branch", ["develop", "feature/wishlist", "feature/a/b", "bugfix/rounding"])
def test_development_takes_pushes_to_its_branches(branch: str) -> None:
    assert started("push", push(f"refs/heads/{branch}")) == Start(
        "development", {"ref": branch, "actor": "ada", "wait_for_lock": True}, f"development {branch}"
    )


def test_staging_takes_pushes_to_main_whatever_main_is_called() -> None:
    found = started("push", push("refs/heads/main"))
    assert (found.pipeline, found.parameters["ref"], found.line) == ("staging", "main", "staging main")
    trunk = Source("example/shop", "trunk")
    assert isinstance(decide("push", push("refs/heads/main"), trunk), Ignored)
    assert isinstance(decide("push", push("refs/heads/trunk"), trunk), Start)


def test_a_push_to_a_hotfix_branch_is_critical_and_nothing_takes_its_place() -> None:
    found = started("push", push("refs/heads/hotfix/stock"))
    assert found == Start(
        "hotfix", {"branch": "hotfix/stock", "severity": "critical", "actor": "ada", "wait_for_lock": True}
    )


@pytest.mark.parametrize("ref", ["refs/heads/chores", "refs/heads/hotfix/", "refs/heads/feature/", "refs/heads/Main"])
def test_other_branches_start_nothing(ref: str) -> None:
    assert "start nothing" in ignored("push", push(ref))


def test_tags_and_deleted_branches_start_nothing() -> None:
    assert "tag" in ignored("push", push("refs/tags/v1.4.0"))
    assert "deleted" in ignored("push", push("refs/heads/main", deleted=True, head_commit=None))


@pytest.mark.parametrize("action", ["opened", "reopened", "synchronize"])
def test_a_pull_request_to_develop_is_developed_in_the_line_of_its_branch(action: str) -> None:
    found = started("pull_request", pull(action))
    assert (found.pipeline, found.parameters["pull"], found.line) == ("development", 7, "development feature/x")


@pytest.mark.parametrize("action", ["closed", "labeled", "edited", "review_requested"])
def test_what_brings_no_commits_starts_nothing(action: str) -> None:
    assert isinstance(decide("pull_request", pull(action), SOURCE), Ignored)


def test_a_forks_pull_request_is_never_built() -> None:
    assert "fork" in ignored("pull_request", pull(repo={"full_name": "mallory/shop"}))
    assert "fork" in ignored("pull_request", pull(repo=None))


def test_a_pull_request_to_another_branch_starts_nothing() -> None:
    assert "is to main" in ignored("pull_request", pull(base="main"))


@pytest.mark.parametrize(
    ("body", "strategy"),
    [
        ("", None),
        (None, None),
        ("Notes.\r\n\r\nstrategy: canary\r\n", "canary"),
        ("- **Strategy**: `blue-green`", "blue-green"),
        ("strategy: canary\nstrategy: rolling", None),
        ("strategy: sideways", None),
    ],
)
def test_a_published_release_goes_to_production_by_the_strategy_that_it_names(
    body: str | None, strategy: str | None
) -> None:
    found = started("release", published(body))
    assert found.pipeline == "production"
    assert found.parameters == {"tag": "v1.4.0", "strategy": strategy, "actor": "ada", "wait_for_lock": True}
    assert found.line == "", "a newer release never takes the place of one that waits"


@pytest.mark.parametrize("action", ["created", "edited", "released", "deleted", "unpublished"])
def test_only_publishing_releases(action: str) -> None:
    assert "published" in ignored("release", published(action=action))


def test_drafts_and_pre_releases_stay_where_they_are() -> None:
    assert "pre-release" in ignored("release", published(prerelease=True))
    assert "draft" in ignored("release", published(draft=True))


def test_what_tidegate_itself_wrote_starts_nothing() -> None:
    for message in (merge_message(FIX, "hotfix/stock", "main"), merge_message(FIX, "main", "develop")):
        assert "itself" in ignored("push", push("refs/heads/main", message))
        assert "itself" in ignored("push", push("refs/heads/develop", message + "\n"))
    body = release_body(FIX, {"us-east-1": "2026-01-01T00:00:00Z"}, ())
    assert "itself" in ignored("release", published(body))


def test_a_person_who_writes_about_a_run_is_still_a_person() -> None:
    assert not own("fix: what Tidegate run: 12 found")
    assert not own("fix: it\n\nTidegate run: 0f9d\n\nand more")


def test_a_merged_revert_is_staged() -> None:
    revert = Revert("1.5.0", "b" * 40, "1.4.0", "us: too many errors", "sha256:" + "a" * 64, "0f9d")
    title, body = pull_request(revert, "ada", "")
    # As a fast-forward or rebase, as a merge and as a squash leave it on the branch.
    merged = f"Merge pull request #7 from example/{revert.branch}\n\n{title}"
    for message in (revert.message, merged, f"{title} (#7)\n\n{revert.message}", f"{title} (#7)\n\n{body}"):
        assert started("push", push("refs/heads/main", message)).pipeline == "staging"


@pytest.mark.parametrize("name", ["ping", "issues", "workflow_run", "", "push\n", "PUSH"])
def test_unknown_events_start_nothing(name: str) -> None:
    assert isinstance(decide(name, push("refs/heads/main"), SOURCE), Ignored)


def test_another_repositorys_events_start_nothing() -> None:
    for name, event in (("push", push("refs/heads/main")), ("release", published()), ("pull_request", pull())):
        assert "example/shop" in ignored(name, {**event, "repository": {"full_name": "mallory/shop"}})
        assert isinstance(decide(name, {**event, "repository": {"full_name": "Example/Shop"}}, SOURCE), Start)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
WHOLE = {"push": push("refs/heads/main"), "pull_request": pull(), "release": published()}


def places(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*path, key))
    return found


@given(st.data())
def test_an_event_with_anything_in_any_place_starts_a_well_formed_run_or_none(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(WHOLE)))
    event = copy.deepcopy(WHOLE[name])
    *above, last = data.draw(st.sampled_from(places(event)))
    holder = event
    for key in above:
        holder = holder[key]
    if data.draw(st.booleans()):
        del holder[last]
    else:
        holder[last] = data.draw(JSON)
    found = decide(name, event, SOURCE)
    if isinstance(found, Start):
        json.dumps(dict(found.parameters))
        assert found.parameters["wait_for_lock"] is True
        for key in ("ref", "tag", "branch", "actor"):
            value = found.parameters.get(key, "x")
            assert isinstance(value, str)
            assert 0 < len(value) <= 255
