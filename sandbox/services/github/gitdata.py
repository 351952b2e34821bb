"""The bare repository behind the simulated GitHub: git itself does what GitHub's servers do with it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from clients.process import Completed, run

_TIMEOUT = 20.0
_HEX = re.compile(r"[0-9a-f]{7,40}")
_FORMAT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"
NOTHING = "0" * 40


@dataclass(frozen=True, slots=True)
class Person:
    """An author, committer or tagger; `date` is ISO 8601."""

    name: str
    email: str
    date: str


@dataclass(frozen=True, slots=True)
class CommitData:
    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True, slots=True)
class Ref:
    """`kind` is what `sha` names: commit or tag (an annotated one)."""

    name: str
    sha: str
    kind: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """`status` is GitHub's word: added, removed, modified or changed; `sha` the new blob's, None when removed."""

    path: str
    status: str
    sha: str | None
    additions: int
    deletions: int


class GitError(Exception):
    """Git refused; its own last line says why."""


class GitData:
    """Reads and writes the bare repository in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def resolve(self, ref: str) -> str | None:
        """The commit of a branch, a tag, a full ref name or a SHA of 7 digits or more."""
        names = [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/{ref}"]
        if _HEX.fullmatch(ref):
            names.append(ref)
        for name in names:
            if any(mark in name for mark in "^~:@?*[\\ ") or ".." in name:
                continue
            found = await self.try_git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
            if found.code == 0:
                return found.stdout.strip()
        return None

    async def refs(self) -> Mapping[str, Ref]:
        """Every branch and tag by its full name."""
        text = await self.git("for-each-ref", "--format=%(refname) %(objectname) %(objecttype)", *_BOTH)
        fields = (line.split(" ") for line in text.splitlines())
        return {name: Ref(name, sha, kind) for name, sha, kind in fields}

    async def commits(self, *revisions: str, limit: int = 250, skip: int = 0) -> list[CommitData]:
        """Commits of a revision range, newest first."""
        text = await self.git("log", f"--max-count={limit}", f"--skip={skip}", f"--format={_FORMAT}", *revisions, "--")
        return [_commit(record.lstrip("\n")) for record in text.split("\x01") if record.strip("\n")]

    async def commit(self, sha: str) -> CommitData:
        return (await self.commits(sha, limit=1))[0]

    async def counts(self, base: str, head: str) -> tuple[int, int]:
        """How many commits `head` is ahead of and behind `base`."""
        text = await self.git("rev-list", "--left-right", "--count", f"{base}...{head}")
        behind, ahead = text.split()
        return int(ahead), int(behind)

    async def merge_base(self, base: str, head: str) -> str | None:
        found = await self.try_git("merge-base", base, head)
        return found.stdout.strip() if found.code == 0 else None

    async def contains(self, branch: str, commit: str) -> bool:
        return (await self.try_git("merge-base", "--is-ancestor", commit, branch)).code == 0

    async def changes(self, before: str | None, after: str) -> list[FileChange]:
        """What differs between two commits; with None what the commit's whole tree adds."""
        old = before or (await self.git("hash-object", "-t", "tree", "/dev/null")).strip()
        arguments = ("diff-tree", "-r", "--no-renames", "--raw", "--numstat", "--abbrev=40", "-z", old, after)
        return _changes(await self.git(*arguments))

    async def git(self, *arguments: str, stdin: str | None = None, env: Mapping[str, str] | None = None) -> str:
        """Git's output. Raises GitError when it fails."""
        done = await self.try_git(*arguments, stdin=stdin, env=env)
        if done.code != 0:
            raise GitError((done.stderr.strip().splitlines() or [f"git ended with {done.code}"])[-1])
        return done.stdout

    async def try_git(
        self, *arguments: str, stdin: str | None = None, env: Mapping[str, str] | None = None
    ) -> Completed:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment |= {"LC_ALL": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1", **(env or {})}
        return await run(
            ["git", f"--git-dir={self.folder}", *arguments],
            env=environment,
            stdin=None if stdin is None else stdin.encode(),
            timeout=_TIMEOUT,
        )


_BOTH = ("refs/heads", "refs/tags")
_STATUS = {"A": "added", "D": "removed", "M": "modified", "T": "changed"}


def _commit(record: str) -> CommitData:
    sha, tree, parents, *people, message, _ = record.split("\x00")
    return CommitData(sha, tree, tuple(parents.split()), Person(*people[:3]), Person(*people[3:]), message.rstrip("\n"))


def _changes(text: str) -> list[FileChange]:
    """Parse `--raw --numstat -z`: first a header and a path for each file, then its counts and path."""
    parts, raw, found = iter(text.split("\x00")), {}, []
    for part in parts:
        if part.startswith(":"):
            *_, sha, letter = part.split(" ")
            raw[next(parts)] = (_STATUS.get(letter[:1], "changed"), None if sha == NOTHING else sha)
        elif part:
            added, removed, path = part.split("\t", 2)
            status, blob = raw[path]
            # Git counts no lines of a binary file: it writes a dash.
            counts = [int(number) if number.isdigit() else 0 for number in (added, removed)]
            found.append(FileChange(path, status, blob, *counts))
    return found
