"""GitHub's JSON for commits, refs, tags, branches and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.services.github.gitdata import CommitData, FileChange, Person, Ref
from sandbox.services.github.shapes import Json, Shapes, node_id

UNSIGNED = {
    "verified": False,
    "reason": "unsigned",
    "signature": None,
    "payload": None,
    "verified_at": None,
}


def commit(shapes: Shapes, data: CommitData, files: Sequence[FileChange] | None = None) -> Json:
    """A commit; with `files` also what it changed."""
    url = f"{shapes.repo_url}/commits/{data.sha}"
    answer: Json = {
        "url": url,
        "sha": data.sha,
        "node_id": node_id("Commit", data.sha),
        "html_url": f"{shapes.html_url}/commit/{data.sha}",
        "comments_url": f"{url}/comments",
        "commit": {
            "url": f"{shapes.repo_url}/git/commits/{data.sha}",
            "author": _person(data.author),
            "committer": _person(data.committer),
            "message": data.message,
            "comment_count": 0,
            "tree": {"sha": data.tree, "url": f"{shapes.repo_url}/git/trees/{data.tree}"},
            "verification": UNSIGNED,
        },
        "author": None,
        "committer": None,
        "parents": [_parent(shapes, sha) for sha in data.parents],
    }
    if files is not None:
        added, removed = sum(one.additions for one in files), sum(one.deletions for one in files)
        answer["stats"] = {"additions": added, "deletions": removed, "total": added + removed}
        answer["files"] = [file(shapes, data.sha, one) for one in files]
    return answer


def file(shapes: Shapes, sha: str, change: FileChange) -> Json:
    """A file that a commit or comparison changes."""
    return {
        "sha": change.sha,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{shapes.html_url}/blob/{sha}/{change.path}",
        "raw_url": f"{shapes.html_url}/raw/{sha}/{change.path}",
        "contents_url": f"{shapes.repo_url}/contents/{change.path}?ref={sha}",
    }


def ref(shapes: Shapes, data: Ref) -> Json:
    return {
        "ref": data.name,
        "node_id": node_id("Ref", data.name),
        "url": f"{shapes.repo_url}/git/{data.name}",
        "object": {"type": data.kind, "sha": data.sha, "url": _object(shapes, data.kind, data.sha)},
    }


def tag_object(shapes: Shapes, sha: str, text: str) -> Json:
    """An annotated tag from its object's text, as `git cat-file -p` writes it."""
    head, _, message = text.partition("\n\n")
    fields = dict(line.split(" ", 1) for line in head.splitlines())
    name, _, rest = fields["tagger"].partition(" <")
    email, _, date = rest.partition("> ")
    target, kind = fields["object"], fields["type"]
    return {
        "node_id": node_id("Tag", sha),
        "tag": fields["tag"],
        "sha": sha,
        "url": f"{shapes.repo_url}/git/tags/{sha}",
        "message": message.rstrip("\n"),
        "tagger": {"name": name, "email": email, "date": _date(date)},
        "object": {"type": kind, "sha": target, "url": _object(shapes, kind, target)},
        "verification": UNSIGNED,
    }


def tag(shapes: Shapes, name: str, sha: str) -> Json:
    """A tag in the list of tags: `sha` is its commit."""
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{shapes.repo_url}/commits/{sha}"},
        "zipball_url": f"{shapes.repo_url}/zipball/refs/tags/{name}",
        "tarball_url": f"{shapes.repo_url}/tarball/refs/tags/{name}",
        "node_id": node_id("TagRef", name),
    }


def branch(shapes: Shapes, name: str, data: CommitData, protected: bool) -> Json:
    url = f"{shapes.repo_url}/branches/{name}"
    checks: dict[str, Any] = {"enforcement_level": "off", "contexts": [], "checks": []}
    return {
        "name": name,
        "commit": commit(shapes, data),
        "_links": {"self": url, "html": f"{shapes.html_url}/tree/{name}"},
        "protected": protected,
        "protection": {"enabled": protected, "required_status_checks": checks},
        "protection_url": f"{url}/protection",
    }


def comparison(
    shapes: Shapes,
    names: str,
    base: CommitData,
    merge_base: CommitData,
    counts: tuple[int, int],
    commits: Sequence[CommitData],
    files: Sequence[FileChange],
) -> Json:
    """`names` is `base...head`; `counts` how far ahead and behind; `commits` oldest first."""
    ahead, behind = counts
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    html = f"{shapes.html_url}/compare/{names}"
    head = commits[-1].sha if commits else merge_base.sha
    return {
        "url": f"{shapes.repo_url}/compare/{names}",
        "html_url": html,
        "permalink_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "base_commit": commit(shapes, base),
        "merge_base_commit": commit(shapes, merge_base),
        "status": status,
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": [commit(shapes, one) for one in commits],
        "files": [file(shapes, head, one) for one in files],
    }


def _person(one: Person) -> Json:
    return {"name": one.name, "email": one.email, "date": one.date}


def _parent(shapes: Shapes, sha: str) -> Json:
    url = f"{shapes.repo_url}/commits/{sha}"
    return {"sha": sha, "url": url, "html_url": f"{shapes.html_url}/commit/{sha}"}


def _object(shapes: Shapes, kind: str, sha: str) -> str:
    return f"{shapes.repo_url}/git/{kind}s/{sha}"


def _date(text: str) -> str:
    """Git's `seconds zone` as GitHub writes it, always in UTC."""
    return datetime.fromtimestamp(int(text.split()[0]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
