"""What the simulated GitHub remembers beside the repository; in memory, readable by tests and the page."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any


def now() -> str:
    """The time as GitHub writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class DeploymentStatus:
    id: int
    state: str
    creator: str
    description: str = ""
    environment_url: str = ""
    log_url: str = ""
    at: str = field(default_factory=now)


@dataclass(slots=True)
class Deployment:
    id: int
    ref: str
    sha: str
    environment: str
    creator: str
    task: str = "deploy"
    description: str | None = None
    payload: Mapping[str, Any] | str = ""
    production: bool = False
    transient: bool = False
    at: str = field(default_factory=now)
    statuses: list[DeploymentStatus] = field(default_factory=list)

    @property
    def state(self) -> str | None:
        """The newest status's word, None before the first."""
        return self.statuses[-1].state if self.statuses else None


@dataclass(slots=True)
class CommitStatus:
    id: int
    sha: str
    state: str
    context: str
    creator: str
    description: str | None = None
    target_url: str | None = None
    at: str = field(default_factory=now)


@dataclass(slots=True)
class Release:
    id: int
    tag: str
    target: str
    author: str
    name: str | None = None
    body: str | None = None
    draft: bool = False
    prerelease: bool = False
    at: str = field(default_factory=now)
    published: str | None = None


@dataclass(slots=True)
class PullRequest:
    """`head` and `base` are branches; `head_sha` follows the branch while the pull request is open.

    `fork` is the owner of the repository that holds the head, None when it is this one.
    """

    id: int
    number: int
    title: str
    body: str | None
    head: str
    head_sha: str
    base: str
    base_sha: str
    author: str
    state: str = "open"
    draft: bool = False
    fork: str | None = None
    merge_commit: str | None = None
    merged_by: str | None = None
    at: str = field(default_factory=now)
    closed: str | None = None


@dataclass(slots=True)
class State:
    """Everything, oldest first. `protected` branches take changes by pull request only."""

    deployments: list[Deployment] = field(default_factory=list)
    statuses: list[CommitStatus] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    pulls: list[PullRequest] = field(default_factory=list)
    protected: set[str] = field(default_factory=set)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1001))

    def new_id(self) -> int:
        """A number that no other object has."""
        return next(self._ids)

    def whole(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "deployments": [asdict(one) for one in self.deployments],
            "statuses": [asdict(one) for one in self.statuses],
            "releases": [asdict(one) for one in self.releases],
            "pulls": [asdict(one) for one in self.pulls],
            "protected": sorted(self.protected),
        }

    def publish(self, tag: str, body: str, author: str) -> None:
        """A published release of a tag that is there, told to nobody: as from before the sandbox was started."""
        self.releases.append(Release(self.new_id(), tag, "main", author, name=tag, body=body, published=now()))

    def latest_statuses(self, sha: str) -> dict[str, CommitStatus]:
        """Context -> newest status of a commit."""
        return {status.context: status for status in self.statuses if status.sha == sha}
