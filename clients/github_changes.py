"""What a release leaves in a GitHub repository: tags, releases, merges and pull requests.

Each can be asked again after a lost answer: what is already there as asked counts as done.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from clients.github_api import Api
from clients.github_errors import refused, take
from release.branches import Pull
from release.errors import Refused

# GitHub's words where a branch takes changes by pull request only; they come with 403, 409 or 422.
_PROTECTED = re.compile(r"protected branch|rule violation|pull request|required status check|review", re.I)


@dataclass(frozen=True, slots=True)
class GitHubRelease:
    """A release of the repository; `url` is its page."""

    tag: str
    name: str
    body: str
    draft: bool
    prerelease: bool
    url: str = ""


@dataclass(frozen=True, slots=True)
class Merge:
    """What came of a merge. `commit` is the merge commit of `merged`; `reason` GitHub's words otherwise."""

    outcome: Literal["merged", "unchanged", "conflict", "protected"]
    commit: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """An open pull request; `url` is its page."""

    number: int
    url: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """`head` seen from `base`: `status` is identical, ahead, behind or diverged; the counts are commits."""

    status: str
    ahead: int
    behind: int
    merge_base: str


class Changes(Api):
    """Tags, releases, merges, pull requests and comparisons."""

    async def commit_of(self, ref: str) -> str | None:
        """The full SHA of a branch, tag or commit, None when GitHub does not know it."""
        what = f"look up {ref}"
        call = self._kit.rest.repos.async_get_commit(self._owner, self._name, quote(ref))
        answer = await self._send(what, call, none_at=(404, 422))
        return None if answer is None else str(take(what, answer, "sha")[0])

    async def release(self, tag: str) -> GitHubRelease | None:
        """The published release of a tag, None when there is none."""
        what = f"look up the release {tag}"
        call = self._kit.rest.repos.async_get_release_by_tag(self._owner, self._name, quote(tag))
        answer = await self._send(what, call, none_at=(404,))
        return None if answer is None else _release(what, answer)

    async def create_release(self, tag: str, name: str, body: str) -> GitHubRelease:
        """Publish a release of an existing tag; a release that the tag already has is returned as it is."""
        what = f"create the release {tag}"
        call = self._kit.rest.repos.async_create_release(
            self._owner, self._name, tag_name=tag, name=name, body=body, draft=False, prerelease=False
        )
        status, answer = await self._ask(what, call, expect=(422,))
        if status != 422:
            return _release(what, answer)
        there = await self.release(tag)
        if there is None:
            raise refused(what, answer)
        return there

    async def create_tag(self, tag: str, commit: str, message: str) -> None:
        """An annotated tag. Raises Refused when the tag is there and names another commit."""
        if await self._tagged(tag, commit):
            return
        what = f"create the tag {tag}"
        git = self._kit.rest.git
        made = git.async_create_tag(self._owner, self._name, tag=tag, message=message, object_=commit, type="commit")
        (sha,) = take(what, await self._send(what, made), "sha")
        call = git.async_create_ref(self._owner, self._name, ref=f"refs/tags/{tag}", sha=sha)
        status, words = await self._ask(what, call, expect=(422,))
        # Someone else may have been faster: then the tag decides.
        if status == 422 and not await self._tagged(tag, commit):
            raise refused(what, words)

    async def merge(self, base: str, head: str, message: str) -> Merge:
        """Merge the branch or commit `head` into the branch `base` with a merge commit."""
        what = f"merge {head} into {base}"
        call = self._kit.rest.repos.async_merge(self._owner, self._name, base=base, head=head, commit_message=message)
        status, answer = await self._ask(what, call, expect=(403, 409, 422))
        if status == 204:
            return Merge("unchanged")
        if status == 201:
            return Merge("merged", commit=str(take(what, answer, "sha")[0]))
        if _PROTECTED.search(str(answer)):
            return Merge("protected", reason=str(answer))
        if status == 409:
            return Merge("conflict", reason=str(answer))
        raise refused(what, answer, self.setting if status == 403 else None)

    async def create_pull_request(self, head: str, base: str, title: str, body: str) -> PullRequest:
        """A pull request of the branch `head` into `base`; one that is open for both is returned as it is."""
        what = f"open a pull request of {head} into {base}"
        pulls = self._kit.rest.pulls
        call = pulls.async_create(self._owner, self._name, title=title, head=head, base=base, body=body)
        status, answer = await self._ask(what, call, expect=(422,))
        if status != 422:
            return _pull_request(what, answer)
        call = pulls.async_list(self._owner, self._name, head=f"{self._owner}:{head}", base=base, state="open")
        for there in await self._send(what, call):
            return _pull_request(what, there)
        raise refused(what, answer)

    async def pull_request(self, number: int) -> Pull | None:
        """A pull request as it is now, None when there is none of that number."""
        what = f"look up pull request {number}"
        call = self._kit.rest.pulls.async_get(self._owner, self._name, number)
        answer = await self._send(what, call, none_at=(404,))
        return None if answer is None else _pull(what, answer)

    async def compare(self, base: str, head: str) -> Comparison:
        """How `head` stands to `base`, both branches, tags or commits."""
        what = f"compare {head} with {base}"
        call = self._kit.rest.repos.async_compare_commits(
            self._owner, self._name, f"{quote(base)}...{quote(head)}", per_page=1
        )
        answer = await self._send(what, call)
        status, ahead, behind, merge_base = take(what, answer, "status", "ahead_by", "behind_by", "merge_base_commit")
        (sha,) = take(what, merge_base, "sha")
        return Comparison(str(status), int(ahead), int(behind), str(sha))

    async def _tagged(self, tag: str, commit: str) -> bool:
        """Whether the tag names this commit; False without the tag, Refused when it names another."""
        what = f"look up the tag {tag}"
        git = self._kit.rest.git
        call = git.async_get_ref(self._owner, self._name, f"tags/{quote(tag)}")
        answer = await self._send(what, call, none_at=(404,))
        if answer is None:
            return False
        (target,) = take(what, answer, "object")
        kind, sha = take(what, target, "type", "sha")
        if kind == "tag":
            peeled = await self._send(what, git.async_get_tag(self._owner, self._name, sha))
            (sha,) = take(what, take(what, peeled, "object")[0], "sha")
        if sha != commit:
            raise Refused(
                f"The tag {tag} is there already and names {str(sha)[:12]}, not {commit[:12]}.",
                field="tag",
                next_step="Choose the next free version; a released tag is not moved.",
            )
        return True


def _release(what: str, answer: Any) -> GitHubRelease:
    tag, draft, prerelease, url = take(what, answer, "tag_name", "draft", "prerelease", "html_url")
    name, body = answer.get("name") or "", answer.get("body") or ""
    return GitHubRelease(str(tag), name, body, bool(draft), bool(prerelease), str(url))


def _pull(what: str, answer: Any) -> Pull:
    number, state, head, base = take(what, answer, "number", "state", "head", "base")
    branch, sha, repository = take(what, head, "ref", "sha", "repo")
    (target,) = take(what, base, "ref")
    # The repository of the head is null once a fork is deleted.
    owner = str(take(what, repository, "full_name")[0]) if repository is not None else None
    return Pull(int(number), state == "open", str(branch), str(sha), owner, str(target))


def _pull_request(what: str, answer: Any) -> PullRequest:
    number, url = take(what, answer, "number", "html_url")
    return PullRequest(int(number), str(url))
