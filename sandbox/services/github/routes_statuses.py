"""Commit statuses, and the rules that they share with deployment statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.services.github import shapes_state
from sandbox.services.github.hub import Hub
from sandbox.services.github.paging import listing
from sandbox.services.github.problems import LOGIN, Problem, body_of, invalid, required
from sandbox.services.github.state import CommitStatus

_COMMIT_STATES = {"error", "failure", "pending", "success"}
_DESCRIPTION = 140


class Statuses:
    """The endpoints; each takes a request and gives GitHub's answer or raises Problem."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._shapes = hub.shapes
        self._state = hub.state

    def routes(self, root: str) -> list[web.RouteDef]:
        return [
            web.post(f"{root}/statuses/{{sha}}", self.create_commit_status),
            web.get(f"{root}/commits/{{ref:.+}}/status", self.combined),
            web.get(f"{root}/commits/{{ref:.+}}/statuses", self.list_commit_statuses),
        ]

    async def create_commit_status(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        (state,) = required(body, "state")
        check_status("Status", body, state, _COMMIT_STATES, ("target_url",))
        sha = request.match_info["sha"]
        if await self._hub.git.resolve(sha) != sha:
            raise Problem(422, f"No commit found for SHA: {sha}")
        status = CommitStatus(
            id=self._state.new_id(),
            sha=sha,
            state=state,
            context=str(body.get("context") or "default"),
            creator=request[LOGIN],
            description=body.get("description"),
            target_url=body.get("target_url"),
        )
        self._state.statuses.append(status)
        return web.json_response(shapes_state.commit_status(self._shapes, status), status=201)

    async def list_commit_statuses(self, request: web.Request) -> web.Response:
        sha = await self._hub.commit_of(request.match_info["ref"])
        found = [one for one in reversed(self._state.statuses) if one.sha == sha]
        return listing(request, [shapes_state.commit_status(self._shapes, one) for one in found])

    async def combined(self, request: web.Request) -> web.Response:
        sha = await self._hub.commit_of(request.match_info["ref"])
        latest = self._state.latest_statuses(sha)
        states = {one.state for one in latest.values()}
        state = "failure" if states & {"error", "failure"} else "success" if states == {"success"} else "pending"
        url = f"{self._shapes.repo_url}/commits/{sha}"
        answer = {
            "state": state,
            "statuses": [shapes_state.commit_status(self._shapes, one) for one in latest.values()],
            "sha": sha,
            "total_count": len(latest),
            "repository": self._shapes.repository(),
            "commit_url": url,
            "url": f"{url}/status",
        }
        return web.json_response(answer)


def check_status(
    resource: str, body: Mapping[str, Any], state: str, states: set[str], addresses: tuple[str, ...]
) -> None:
    """Raises Problem 422 for a state, description or address that GitHub does not take."""
    if state not in states:
        raise invalid(resource, "custom", "state", "state is not included in the list")
    if len(str(body.get("description") or "")) > _DESCRIPTION:
        raise invalid(resource, "custom", "description", "description is too long (maximum is 140 characters)")
    for name in addresses:
        value = body.get(name)
        if value and not str(value).startswith(("http://", "https://")):
            raise invalid(resource, "custom", name, f"{name} must use http(s) scheme")
