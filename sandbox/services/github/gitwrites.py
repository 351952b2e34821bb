"""What GitHub's servers write into a repository: refs, tag objects and merges."""

from __future__ import annotations

import time
from collections.abc import Mapping

from sandbox.services.github.gitdata import NOTHING, GitData, GitError

_NOBODY = "users.noreply.github.invalid"


class Conflict(Exception):
    """The two sides change the same lines."""


def email_of(login: str) -> str:
    """The address under which the simulated GitHub writes for somebody."""
    return f"{login}@{_NOBODY}"


async def create_ref(git: GitData, name: str, sha: str) -> None:
    """A new ref. Raises GitError when it is there already, or its name or object is wrong."""
    await git.git("update-ref", name, sha, NOTHING)


async def move_ref(git: GitData, name: str, sha: str, before: str) -> None:
    """Move a ref that still is at `before`. Raises GitError otherwise."""
    await git.git("update-ref", name, sha, before)


async def delete_ref(git: GitData, name: str) -> None:
    await git.git("update-ref", "-d", name)


async def is_ref_name(git: GitData, name: str) -> bool:
    return (await git.try_git("check-ref-format", name)).code == 0


async def object_type(git: GitData, sha: str) -> str | None:
    """commit, tag, tree or blob, None for an object that is not there."""
    found = await git.try_git("cat-file", "-t", sha)
    return found.stdout.strip() if found.code == 0 else None


async def create_tag(git: GitData, tag: str, target: str, kind: str, message: str, login: str) -> str:
    """Write an annotated tag's object, without a ref; its SHA."""
    tagger = f"{login} <{email_of(login)}> {int(time.time())} +0000"
    text = f"object {target}\ntype {kind}\ntag {tag}\ntagger {tagger}\n\n{message.rstrip()}\n"
    return (await git.git("mktag", stdin=text)).strip()


async def merge(git: GitData, branch: str, head: str, message: str, login: str) -> str:
    """Merge a commit into a branch with a merge commit; its SHA. Raises Conflict."""
    base = (await git.git("rev-parse", f"refs/heads/{branch}")).strip()
    tree = await merged_tree(git, base, head)
    if tree is None:
        raise Conflict
    arguments = ("commit-tree", tree, "-p", base, "-p", head)
    commit = (await git.git(*arguments, stdin=message.rstrip() + "\n", env=_identity(login))).strip()
    await move_ref(git, f"refs/heads/{branch}", commit, base)
    return commit


async def merged_tree(git: GitData, base: str, head: str) -> str | None:
    """The tree of a merge, None when it conflicts. Raises GitError for histories without a common commit."""
    done = await git.try_git("merge-tree", "--write-tree", base, head)
    if done.code == 1:
        return None
    if done.code != 0:
        raise GitError(done.stderr.strip())
    return done.stdout.splitlines()[0]


def _identity(login: str) -> Mapping[str, str]:
    names = {f"GIT_{role}_NAME": login for role in ("AUTHOR", "COMMITTER")}
    return names | {f"GIT_{role}_EMAIL": email_of(login) for role in ("AUTHOR", "COMMITTER")}
