"""GitHub's JSON for pull requests."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.services.github.shapes import Json, Shapes, node_id
from sandbox.services.github.state import PullRequest


@dataclass(frozen=True, slots=True)
class Difference:
    """What a pull request brings. `mergeable` is None once it is closed."""

    mergeable: bool | None
    commits: int
    additions: int
    deletions: int
    files: int


def listed(shapes: Shapes, pull: PullRequest) -> Json:
    """A pull request as lists show it."""
    url = f"{shapes.repo_url}/pulls/{pull.number}"
    issue = f"{shapes.repo_url}/issues/{pull.number}"
    html = f"{shapes.html_url}/pull/{pull.number}"
    links = {
        "comments": f"{issue}/comments",
        "commits": f"{url}/commits",
        "statuses": f"{shapes.repo_url}/statuses/{pull.head_sha}",
        "html": html,
        "issue": issue,
        "review_comments": f"{url}/comments",
        "review_comment": f"{shapes.repo_url}/pulls/comments{{/number}}",
        "self": url,
    }
    words = ("comments", "commits", "statuses", "review_comments", "review_comment")
    return {
        "url": url,
        "id": pull.id,
        "node_id": node_id("PullRequest", pull.id),
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": issue,
        **{f"{word}_url": links[word] for word in words},
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "active_lock_reason": None,
        "title": pull.title,
        "user": shapes.user(pull.author),
        "body": pull.body,
        "labels": [],
        "milestone": None,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "created_at": pull.at,
        "updated_at": pull.closed or pull.at,
        "closed_at": pull.closed,
        "merged_at": pull.closed if pull.merge_commit else None,
        "merge_commit_sha": pull.merge_commit,
        "head": _side(shapes, pull.head, pull.head_sha, pull.fork),
        "base": _side(shapes, pull.base, pull.base_sha),
        "_links": {word: {"href": href} for word, href in links.items()},
        "author_association": "MEMBER",
        "auto_merge": None,
        "draft": pull.draft,
    }


def whole(shapes: Shapes, pull: PullRequest, difference: Difference) -> Json:
    """A pull request as itself: also what it changes and whether it can be merged."""
    states = {True: "clean", False: "dirty", None: "unknown"}
    return {
        **listed(shapes, pull),
        "merged": pull.merge_commit is not None,
        "mergeable": difference.mergeable,
        "rebaseable": difference.mergeable,
        "mergeable_state": states[difference.mergeable],
        "merged_by": shapes.user(pull.merged_by) if pull.merged_by else None,
        "comments": 0,
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": difference.commits,
        "additions": difference.additions,
        "deletions": difference.deletions,
        "changed_files": difference.files,
    }


def _side(shapes: Shapes, branch: str, sha: str, fork: str | None = None) -> Json:
    owner = fork or shapes.name.partition("/")[0]
    return {
        "label": f"{owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": shapes.user(owner),
        "repo": shapes.repository(fork),
    }
