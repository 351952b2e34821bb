"""GitHub, as the pipelines use it: deployments, commit statuses, releases; changes in clients.github_changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from githubkit.utils import UNSET

from clients.github_app import App
from clients.github_changes import Changes
from clients.github_errors import installation_failure, take

DeploymentState = Literal["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]
CommitState = Literal["error", "failure", "pending", "success"]
# What GitHub takes for the description of a status.
_DESCRIPTION = 140


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment as GitHub keeps it. `state` is its newest status, None before the first, or when not asked."""

    id: int
    environment: str
    ref: str
    sha: str
    description: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    state: str | None = None
    created: float = 0.0


class GitHub(Changes):
    """GitHub for one repository. Raises Refused and Unavailable as clients.github_api.Api says."""

    async def permissions(self) -> frozenset[str]:
        """What it may do in the repository, in GitHub's words: a token pull, push, maintain, admin, ...; an App
        `contents: write`, `metadata: read`, ..."""
        what = f"look up {self.repo}"
        answer = await self._send(what, self._kit.rest.repos.async_get(self._owner, self._name))
        if isinstance(self._access, App):
            what = f"look up the App's installation {self._access.installation}"
            call = self._kit.rest.apps.async_get_installation(self._access.installation)
            answer = await self._send(what, call, failing=installation_failure)
            (found,) = take(what, answer, "permissions")
            return frozenset(f"{name}: {kind}" for name, kind in found.items())
        found = answer.get("permissions") or {}
        return frozenset(name for name, given in found.items() if given)

    async def create_deployment(
        self, ref: str, environment: str, description: str, *, production: bool, payload: Mapping[str, Any]
    ) -> int:
        """A new deployment of `ref`; its id. GitHub neither merges anything for it nor waits for checks."""
        what = f"create the deployment {environment} of {ref}"
        answer = await self._send(
            what,
            self._kit.rest.repos.async_create_deployment(
                self._owner,
                self._name,
                ref=ref,
                environment=environment,
                description=_short(description),
                payload=dict(payload),
                auto_merge=False,
                required_contexts=[],
                production_environment=production,
                transient_environment=False,
            ),
        )
        (number,) = take(what, answer, "id")
        return int(number)

    async def deployment_status(
        self, deployment: int, state: DeploymentState, *, description: str, environment_url: str, log_url: str
    ) -> None:
        """Say how a deployment goes. Empty addresses are left out; a long description is cut."""
        await self._send(
            f"set the deployment {deployment} to {state}",
            self._kit.rest.repos.async_create_deployment_status(
                self._owner,
                self._name,
                deployment,
                state=state,
                description=_short(description),
                environment_url=environment_url or UNSET,
                log_url=log_url or UNSET,
                auto_inactive=True,
            ),
        )

    async def deployments(self, environment: str, *, ref: str | None = None, limit: int = 30) -> tuple[Deployment, ...]:
        """The newest deployments of an environment, newest first, without their states."""
        what = f"list the deployments of {environment}"
        answer = await self._send(
            what,
            self._kit.rest.repos.async_list_deployments(
                self._owner, self._name, environment=environment, ref=ref or UNSET, per_page=limit
            ),
        )
        return tuple(_deployment(what, item) for item in _list(answer))

    async def deployment_state(self, deployment: int) -> str | None:
        """The newest status of a deployment, None before its first."""
        what = f"read the statuses of deployment {deployment}"
        answer = await self._send(
            what,
            self._kit.rest.repos.async_list_deployment_statuses(self._owner, self._name, deployment, per_page=1),
        )
        states = [take(what, item, "state")[0] for item in _list(answer)]
        return str(states[0]) if states else None

    async def commit_status(
        self, sha: str, state: CommitState, *, context: str, description: str, target_url: str
    ) -> None:
        """Set a commit's status in `context`; an empty `target_url` is left out."""
        await self._send(
            f"set the status {context} of {sha[:12]}",
            self._kit.rest.repos.async_create_commit_status(
                self._owner,
                self._name,
                sha,
                state=state,
                context=context,
                description=_short(description),
                target_url=target_url or UNSET,
            ),
        )

    async def commit_states(self, ref: str) -> Mapping[str, str]:
        """The latest status of each context of a commit, branch or tag: context -> state."""
        what = f"read the statuses of {ref}"
        answer = await self._send(
            what,
            self._kit.rest.repos.async_get_combined_status_for_ref(self._owner, self._name, ref, per_page=100),
        )
        (statuses,) = take(what, answer, "statuses")
        pairs = (take(what, item, "context", "state") for item in _list(statuses))
        return {str(context): str(state) for context, state in pairs}


def _deployment(what: str, item: Any) -> Deployment:
    number, environment, ref, sha, at = take(what, item, "id", "environment", "ref", "sha", "created_at")
    payload = item.get("payload")
    return Deployment(
        id=int(number),
        environment=environment,
        ref=ref,
        sha=sha,
        description=item.get("description") or "",
        payload=payload if isinstance(payload, dict) else {},
        created=datetime.fromisoformat(at).timestamp(),
    )


def _list(answer: Any) -> Sequence[Any]:
    return answer if isinstance(answer, list) else ()


def _short(text: str) -> str:
    return text if len(text) <= _DESCRIPTION else f"{text[: _DESCRIPTION - 1]}…"
