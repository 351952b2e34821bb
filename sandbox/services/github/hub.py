"""What the simulated GitHub's endpoints share, and what follows from a change of the repository."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sandbox.services.github import shapes_pulls, shapes_state
from sandbox.services.github.deliveries import Deliveries
from sandbox.services.github.events import push_event
from sandbox.services.github.gitdata import NOTHING, GitData, Ref
from sandbox.services.github.gitwrites import merged_tree
from sandbox.services.github.problems import Problem
from sandbox.services.github.shapes import Json, Shapes
from sandbox.services.github.shapes_pulls import Difference
from sandbox.services.github.state import PullRequest, Release, State, now


class Hub:
    """One repository: its git data, its state, its JSON and its webhooks."""

    def __init__(self, git: GitData, shapes: Shapes) -> None:
        self.git = git
        self.shapes = shapes
        self.state = State()
        self.deliveries = Deliveries()
        # Writes of the repository, and the look at what changed, one at a time.
        self.writing = asyncio.Lock()
        self._noticing = asyncio.Lock()
        self._known: Mapping[str, Ref] = {}

    async def start(self) -> None:
        self._known = await self.git.refs()
        await self.deliveries.start()

    async def commit_of(self, ref: str) -> str:
        """The commit of a ref. Raises Problem 422 as GitHub does."""
        sha = await self.git.resolve(ref)
        if sha is None:
            raise Problem(422, f"No commit found for SHA: {ref}")
        return sha

    async def refs_changed(self, login: str) -> None:
        """Tell the webhooks of every ref that changed since the last look, and let pull requests follow."""
        async with self._noticing:
            before, after = self._known, await self.git.refs()
            self._known = after
            for name in sorted({*before, *after}):
                old, new = before.get(name), after.get(name)
                if old != new:
                    self.deliveries.send("push", await push_event(self.shapes, self.git, name, old, new, login))
            for pull in self.state.pulls:
                if pull.state == "open":
                    await self._follow(pull, after, login)

    async def _follow(self, pull: PullRequest, refs: Mapping[str, Ref], login: str) -> None:
        head, base = await self.tip(pull.head, pull.fork), refs.get(f"refs/heads/{pull.base}")
        if head is None or base is None:
            return
        before, pull.head_sha = pull.head_sha, head
        if before != head:
            await self.tell_pull("synchronize", pull, login, {"before": before, "after": head})
        # A branch that reached its base by another way, by git push say, is merged too.
        if base.sha != pull.base_sha and await self.git.contains(base.sha, head):
            await self.close_pull(pull, base.sha, login)

    async def tip(self, branch: str, fork: str | None = None) -> str | None:
        """The commit of a branch, also of a fork's: forks share the repository's objects, as at GitHub."""
        return await self.git.resolve(f"refs/heads/{branch}" if fork is None else f"refs/forks/{fork}/{branch}")

    async def close_pull(self, pull: PullRequest, merge_commit: str | None, login: str) -> None:
        """Close a pull request, merged or not, and tell it."""
        pull.state, pull.closed, pull.merge_commit = "closed", now(), merge_commit
        pull.merged_by = login if merge_commit else None
        await self.tell_pull("closed", pull, login)

    async def tell_pull(
        self, action: str, pull: PullRequest, login: str, more: Mapping[str, str] | None = None
    ) -> None:
        payload = {
            "action": action,
            "number": pull.number,
            "pull_request": await self.whole_pull(pull),
            "repository": self.shapes.repository(),
            "sender": self.shapes.user(login),
            **(more or {}),
        }
        self.deliveries.send("pull_request", payload)

    async def whole_pull(self, pull: PullRequest) -> Json:
        """A pull request as itself, asking git what it would change."""
        base = await self.git.resolve(pull.base) if pull.state == "open" else pull.base_sha
        start = await self.git.merge_base(base or NOTHING, pull.head_sha) or pull.base_sha
        files = await self.git.changes(start, pull.head_sha)
        commits, _ = await self.git.counts(start, pull.head_sha)
        mergeable = None
        if pull.state == "open" and base is not None:
            mergeable = await merged_tree(self.git, base, pull.head_sha) is not None
        added, removed = sum(one.additions for one in files), sum(one.deletions for one in files)
        difference = Difference(mergeable, commits, added, removed, len(files))
        return shapes_pulls.whole(self.shapes, pull, difference)

    def tell_release(self, actions: Sequence[str], release: Release, login: str) -> None:
        for action in actions:
            payload = {
                "action": action,
                "release": shapes_state.release(self.shapes, release),
                "repository": self.shapes.repository(),
                "sender": self.shapes.user(login),
            }
            self.deliveries.send("release", payload)
