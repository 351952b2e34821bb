"""GitHub's JSON for users and the repository, by its published schema; the other shapes modules build on it."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

from sandbox.services.github.gitwrites import email_of
from sandbox.services.github.state import now

Json = dict[str, Any]
_USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_REPOSITORY_LINKS = {
    "archive": "{archive_format}{/ref}",
    "assignees": "assignees{/user}",
    "blobs": "git/blobs{/sha}",
    "branches": "branches{/branch}",
    "collaborators": "collaborators{/collaborator}",
    "comments": "comments{/number}",
    "commits": "commits{/sha}",
    "compare": "compare/{base}...{head}",
    "contents": "contents/{+path}",
    "git_commits": "git/commits{/sha}",
    "git_refs": "git/refs{/sha}",
    "git_tags": "git/tags{/sha}",
    "issue_comment": "issues/comments{/number}",
    "issue_events": "issues/events{/number}",
    "issues": "issues{/number}",
    "keys": "keys{/key_id}",
    "labels": "labels{/name}",
    "milestones": "milestones{/number}",
    "notifications": "notifications{?since,all,participating}",
    "pulls": "pulls{/number}",
    "releases": "releases{/id}",
    "statuses": "statuses/{sha}",
    "trees": "git/trees{/sha}",
}
_PLAIN_LINKS = [
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "hooks",
    "languages",
    "merges",
    "stargazers",
    "subscribers",
    "subscription",
    "tags",
    "teams",
]
_COUNTS = [
    "forks",
    "watchers",
    "open_issues",
    "size",
    "subscribers_count",
    "network_count",
    "forks_count",
    "stargazers_count",
    "watchers_count",
    "open_issues_count",
]
_FLAGS = ["fork", "archived", "disabled", "has_pages", "has_wiki", "has_projects", "has_discussions"]
_EMPTY = ["description", "mirror_url", "homepage", "language", "license"]


class Shapes:
    """`api` is the REST root and the site at once, `name` is `owner/name`, `clone_url` where git is served."""

    def __init__(self, name: str, branch: str) -> None:
        self.api = ""
        self.clone_url = ""
        self.name = name
        self.branch = branch
        self._since = now()

    @property
    def repo_url(self) -> str:
        return f"{self.api}/repos/{self.name}"

    @property
    def html_url(self) -> str:
        return f"{self.api}/{self.name}"

    def user(self, login: str) -> Json:
        url = f"{self.api}/users/{login}"
        number = zlib.crc32(login.encode())
        kind = "Bot" if login.endswith("[bot]") else "User"
        return {
            "login": login,
            "id": number,
            "node_id": node_id("User", number),
            "avatar_url": f"{self.api}/avatars/{login}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.api}/{login}",
            **{name: url + path for name, path in _USER_LINKS.items()},
            "type": kind,
            "user_view_type": "public",
            "site_admin": False,
        }

    def repository(self, fork: str | None = None) -> Json:
        """This repository, or the fork of it that the user `fork` has."""
        if fork is not None:
            return {**self._fork_of(fork).repository(), "fork": True}
        owner, _, name = self.name.partition("/")
        links = _REPOSITORY_LINKS | {word: word for word in _PLAIN_LINKS}
        return {
            "id": zlib.crc32(self.name.encode()),
            "node_id": node_id("Repository", zlib.crc32(self.name.encode())),
            "name": name,
            "full_name": self.name,
            "owner": self.user(owner),
            "private": True,
            "visibility": "private",
            "html_url": self.html_url,
            "url": self.repo_url,
            **{f"{word}_url": f"{self.repo_url}/{path}" for word, path in links.items()},
            **dict.fromkeys(_COUNTS, 0),
            **dict.fromkeys(_FLAGS, False),
            **dict.fromkeys(_EMPTY),
            "has_issues": True,
            "topics": [],
            "git_url": self.clone_url or self.html_url,
            "ssh_url": self.clone_url or self.html_url,
            "clone_url": self.clone_url or self.html_url,
            "svn_url": self.html_url,
            "default_branch": self.branch,
            "created_at": self._since,
            "updated_at": self._since,
            "pushed_at": self._since,
        }

    def _fork_of(self, owner: str) -> Shapes:
        fork = Shapes(f"{owner}/{self.name.partition('/')[2]}", self.branch)
        fork.api = self.api
        return fork


def node_id(kind: str, number: int | str) -> str:
    """GitHub's global id: opaque to everyone."""
    return base64.b64encode(f"{kind}{number}".encode()).decode()


def person(login: str) -> Mapping[str, str]:
    """A pusher."""
    return {"name": login, "email": email_of(login)}
