"""Git, through its executable: a bare mirror in a cache folder, asked about refs, history and files."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from clients import process
from clients.gitcommand import LOCAL_TIMEOUT, Credential, environment, explain, writing
from release.errors import Refused, Unavailable
from release.versions import Version, parse_tag

_REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_NOT_A_NAME = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|^[-/]|/$|\.$")
_SHA = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Commit:
    """`sha` is full, `subject` the first line, `at` the committer's date in ISO 8601."""

    sha: str
    author: str
    email: str
    at: str
    subject: str


@dataclass(frozen=True)
class Repository:
    """A bare mirror of `url` in `folder`: branches and tags only, so that nobody's fork is ever built."""

    url: str
    folder: Path
    credential: Credential | None = field(default=None, repr=False)

    @classmethod
    async def open(
        cls,
        url: str,
        folder: Path,
        *,
        credential: Credential | None = None,
        timeout: float = 60,
    ) -> Repository:
        """Bring the mirror in `folder` up to date, making it when it is not there.

        One caller at a time writes to it, others wait. Raises Refused when the address or the credential is
        wrong, Unavailable when the server does not answer within `timeout` seconds.
        """
        parts = urlsplit(url)
        if url.startswith("-") or not url or parts.password or (parts.username and "http" in parts.scheme):
            raise Refused(
                "The repository's address is empty or holds a credential.",
                field="application.git",
                next_step="Give the bare address, and the credential to git's own helper, or ssh a key.",
            )
        repository = cls(url, folder, credential)
        async with writing(folder, timeout):
            await repository._git("init", "--quiet", "--bare", "--template=", str(folder))
            await repository._fetch(timeout)
        return repository

    async def commit_of(self, ref: str) -> str:
        """The full SHA of a tag, a branch (in this order) or a SHA of at least 7 digits.

        Raises Refused (field `ref`) for anything else: revision expressions such as `main~1` are no names.
        """
        candidates = (
            [ref] if ref.startswith(("refs/heads/", "refs/tags/")) else [f"refs/tags/{ref}", f"refs/heads/{ref}"]
        )
        if _SHA.fullmatch(ref):
            candidates.append(ref)
        if ref and not _NOT_A_NAME.search(ref):
            asked = "".join(f"{name}^{{commit}}\n" for name in candidates)
            answer = await self._git("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked)
            for line in answer.splitlines():
                sha, _, kind = line.partition(" ")
                if kind == "commit":
                    return sha
        raise Refused(
            f"{ref!r} is neither a branch, a tag nor a commit of the repository.",
            field="ref",
            next_step="Push it first, or correct its name.",
        )

    async def commit_of_tag(self, tag: str) -> str:
        """The full SHA of a tag, and of nothing else that has its name. Raises Refused (field `tag`)."""
        try:
            return await self.commit_of(f"refs/tags/{tag}")
        except Refused as error:
            raise Refused(f"the repository has no tag {tag}.", field="tag", next_step=error.next_step) from error

    async def contains(self, branch: str, commit: str) -> bool:
        """Whether `commit` (any ref) is on `branch`. Raises Refused (field `branch` or `ref`) if unknown."""
        try:
            tip = await self.commit_of(f"refs/heads/{branch}")
        except Refused as error:
            raise Refused(
                f"The repository has no branch {branch!r}.", field="branch", next_step=error.next_step
            ) from error
        return await self.is_ancestor(commit, tip)

    async def is_ancestor(self, commit: str, of: str) -> bool:
        """Whether `of` holds `commit`; a commit is its own ancestor."""
        pair = await self.commit_of(commit), await self.commit_of(of)
        return (await self.run("merge-base", "--is-ancestor", *pair, codes=(0, 1))).code == 0

    async def tags(self, reachable_from: str | None = None) -> Mapping[str, Version]:
        """The release tags (vX.Y.Z; others are left out) and their versions, newest version first."""
        merged = () if reachable_from is None else (f"--merged={await self.commit_of(reachable_from)}",)
        names = await self._git("for-each-ref", "--format=%(refname:strip=2)", *merged, "refs/tags/")
        found: dict[str, Version] = {}
        for name in names.splitlines():
            with suppress(Refused):
                found[name] = parse_tag(name)
        return dict(sorted(found.items(), key=lambda item: item[1], reverse=True))

    async def last_tag(self, commit: str) -> str | None:
        """The newest release tag, by version, that `commit` holds; None without one."""
        return next(iter(await self.tags(commit)), None)

    async def messages(self, since: str | None, until: str) -> tuple[str, ...]:
        """The whole messages of the commits that `until` holds and `since` does not, newest first."""
        last = await self.commit_of(until)
        span = last if since is None else f"{await self.commit_of(since)}..{last}"
        text = await self._git("log", "-z", "--format=%B", span)
        return tuple(message.strip() for message in text.split("\0") if message.strip())

    async def times(self, since: Iterable[str], until: str) -> tuple[str, ...]:
        """When the commits that `until` holds and none of `since` does were committed, in ISO 8601, newest first.

        Merges bring nothing of their own and are left out. `since` must not be empty, and each must be known.
        """
        old = [await self.commit_of(commit) for commit in since]
        span = (await self.commit_of(until), *(f"^{commit}" for commit in old))
        return tuple((await self._git("log", "--no-merges", "--format=%cI", *span)).split())

    async def describe(self, ref: str) -> Commit:
        """Who made the commit, when, and its subject."""
        sha = await self.commit_of(ref)
        text = await self._git("show", "--no-patch", "--format=%H%x00%an%x00%ae%x00%cI%x00%s", sha)
        return Commit(*text.rstrip("\n").split("\0"))

    async def read(self, commit: str, path: str) -> str | None:
        """A file's text at a commit; None when it is not there."""
        done = await self.run("show", f"{await self.commit_of(commit)}:{path}", codes=(0, 128))
        return done.stdout if done.code == 0 else None

    async def checkout(self, commit: str, folder: Path) -> Path:
        """Write the files of `commit` into `folder`, replacing what it holds, and return it.

        There is no `.git` in it, so nothing in it says where it came from or how to get there.
        """
        sha = await self.commit_of(commit)
        if await asyncio.to_thread((folder / ".git").exists):
            raise Refused(f"{folder} is somebody's work tree.", field="folder", next_step="Name an empty folder.")
        fresh, index = (folder.with_name(f".{folder.name}.{kind}") for kind in ("new", "index"))
        await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)
        await asyncio.to_thread(fresh.mkdir, parents=True)
        extra = {"GIT_INDEX_FILE": str(index.resolve()), "GIT_WORK_TREE": str(fresh.resolve())}
        try:
            await self._git("read-tree", sha, extra=extra)
            await self._git("checkout-index", "--all", "--force", extra=extra)
        finally:
            index.unlink(missing_ok=True)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return await asyncio.to_thread(fresh.rename, folder)

    async def _fetch(self, timeout: float) -> None:
        done = await self.run(
            "fetch", "--quiet", "--prune", "--no-tags", self.url, *_REFSPECS, timeout=timeout, codes=range(256)
        )
        if done.code:
            raise explain(self.url, done.stderr, self.credential)

    async def _git(self, *words: str, stdin: str | None = None, extra: Mapping[str, str] | None = None) -> str:
        return (await self.run(*words, stdin=stdin, extra=extra)).stdout

    async def run(
        self,
        *words: str,
        stdin: str | None = None,
        extra: Mapping[str, str] | None = None,
        timeout: float = LOCAL_TIMEOUT,
        codes: range | tuple[int, ...] = (0,),
    ) -> process.Completed:
        """Run `git WORDS` on the mirror. Raises Unavailable for an exit code that is not among `codes`."""
        done = await process.run(
            ["git", *words],
            env=environment(self.folder, self.url, self.credential) | dict(extra or {}),
            stdin=None if stdin is None else stdin.encode(),
            timeout=timeout,
        )
        if done.code not in codes:
            raise Unavailable(f"git {words[0]} failed: {done.stderr.strip()}", field="application.git")
        return done
