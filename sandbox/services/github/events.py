"""The payload of a push."""

from __future__ import annotations

import time

from sandbox.services.github.gitdata import NOTHING, CommitData, FileChange, GitData, Person, Ref
from sandbox.services.github.shapes import Json, Shapes, person

# GitHub lists no more commits than this.
_MOST = 20


async def push_event(shapes: Shapes, git: GitData, name: str, old: Ref | None, new: Ref | None, login: str) -> Json:
    """What GitHub sends when the ref `name` goes from `old` to `new`; None is a ref that is not there."""
    before, after = (NOTHING if one is None else one.sha for one in (old, new))
    head = await git.resolve(name) if new is not None else None
    commits = await _new_commits(git, old, head)
    listed = [await _commit(shapes, git, one) for one in reversed(commits)]
    forced = old is not None and head is not None and not await git.contains(head, old.sha)
    return {
        "ref": name,
        "before": before,
        "after": after,
        "base_ref": None,
        "created": old is None,
        "deleted": new is None,
        "forced": forced,
        "compare": f"{shapes.html_url}/compare/{before[:12]}...{after[:12]}",
        "commits": listed,
        "head_commit": None if head is None else await _commit(shapes, git, await git.commit(head)),
        "repository": _repository(shapes),
        "pusher": person(login),
        "sender": shapes.user(login),
    }


async def _new_commits(git: GitData, old: Ref | None, head: str | None) -> list[CommitData]:
    """The commits that came with a push, newest first; none for a new ref on known commits."""
    if head is None or old is None:
        return []
    return await git.commits(f"{old.sha}..{head}", limit=_MOST)


async def _commit(shapes: Shapes, git: GitData, data: CommitData) -> Json:
    changes = await git.changes(data.parents[0] if data.parents else None, data.sha)
    return {
        "id": data.sha,
        "tree_id": data.tree,
        "distinct": True,
        "message": data.message,
        "timestamp": data.committer.date,
        "url": f"{shapes.html_url}/commit/{data.sha}",
        "author": _author(data.author),
        "committer": _author(data.committer),
        "added": _paths(changes, "added"),
        "removed": _paths(changes, "removed"),
        "modified": [*_paths(changes, "modified"), *_paths(changes, "changed")],
    }


def _author(one: Person) -> Json:
    return {"name": one.name, "email": one.email, "date": one.date}


def _paths(changes: list[FileChange], status: str) -> list[str]:
    return [change.path for change in changes if change.status == status]


def _repository(shapes: Shapes) -> Json:
    """A push's repository, whose owner has two fields more than elsewhere, and which was pushed to just now."""
    repository = shapes.repository()
    owner = repository["owner"] | person(repository["owner"]["login"])
    return repository | {"owner": owner, "pushed_at": int(time.time())}
