"""Deployments with their statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.services.github import gitwrites, shapes_state
from sandbox.services.github.gitwrites import Conflict
from sandbox.services.github.hub import Hub
from sandbox.services.github.paging import listing
from sandbox.services.github.problems import LOGIN, Problem, body_of, not_found, required
from sandbox.services.github.routes_statuses import check_status
from sandbox.services.github.state import Deployment, DeploymentStatus

_DEPLOYMENT_STATES = {"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}


class Deployments:
    """The endpoints; each takes a request and gives GitHub's answer or raises Problem."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._shapes = hub.shapes
        self._state = hub.state

    def routes(self, root: str) -> list[web.RouteDef]:
        one = rf"{root}/deployments/{{id:\d+}}"
        return [
            web.get(f"{root}/deployments", self.list),
            web.post(f"{root}/deployments", self.create),
            web.get(one, self.get),
            web.get(f"{one}/statuses", self.list_statuses),
            web.post(f"{one}/statuses", self.create_status),
        ]

    async def list(self, request: web.Request) -> web.Response:
        wanted = {name: request.query[name] for name in ("sha", "ref", "task", "environment") if name in request.query}
        found = [
            shapes_state.deployment(self._shapes, one)
            for one in reversed(self._state.deployments)
            if all(getattr(one, name) == value for name, value in wanted.items())
        ]
        return listing(request, found)

    async def get(self, request: web.Request) -> web.Response:
        return web.json_response(shapes_state.deployment(self._shapes, self._one(request)))

    async def create(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        (ref,) = required(body, "ref")
        sha = await self._hub.git.resolve(ref)
        if sha is None:
            raise Problem(422, f"No ref found for: {ref}")
        if body.get("auto_merge", True) and await self._merged(ref, request[LOGIN]):
            message = f"Auto-merged {self._shapes.branch} into {ref} on deployment."
            return web.json_response({"message": message}, status=202)
        self._require(ref, sha, body.get("required_contexts"))
        environment = str(body.get("environment") or "production")
        deployment = Deployment(
            id=self._state.new_id(),
            ref=ref,
            sha=sha,
            environment=environment,
            creator=request[LOGIN],
            task=str(body.get("task") or "deploy"),
            description=body.get("description") or None,
            payload=body.get("payload") or "",
            production=bool(body.get("production_environment", environment == "production")),
            transient=bool(body.get("transient_environment", False)),
        )
        self._state.deployments.append(deployment)
        return web.json_response(shapes_state.deployment(self._shapes, deployment), status=201)

    async def _merged(self, ref: str, login: str) -> bool:
        """Bring a branch up to the default branch, as GitHub does unless it is told not to."""
        git, main = self._hub.git, self._shapes.branch
        if ref == main or f"refs/heads/{ref}" not in await git.refs():
            return False
        head = await self._hub.commit_of(main)
        if await git.contains(f"refs/heads/{ref}", head):
            return False
        try:
            async with self._hub.writing:
                await gitwrites.merge(git, ref, head, f"Merge {main} into {ref}", login)
        except Conflict:
            raise Problem(409, f"Conflict merging {main} into {ref}.") from None
        await self._hub.refs_changed(login)
        return True

    def _require(self, ref: str, sha: str, contexts: Any) -> None:
        """Hold back a deployment whose checks did not pass: all of them where the request names none."""
        states = {context: status.state for context, status in self._state.latest_statuses(sha).items()}
        wanted = list(states) if contexts is None else [str(context) for context in contexts]
        bad = [{"context": one, "state": states.get(one, "pending")} for one in wanted if states.get(one) != "success"]
        if bad:
            entry = {"contexts": bad, "resource": "Deployment", "field": "required_contexts", "code": "invalid"}
            raise Problem(409, f"Conflict: Commit status checks failed for {ref}.", [entry])

    async def list_statuses(self, request: web.Request) -> web.Response:
        one = self._one(request)
        return listing(
            request, [shapes_state.deployment_status(self._shapes, one, status) for status in reversed(one.statuses)]
        )

    async def create_status(self, request: web.Request) -> web.Response:
        one, body = self._one(request), await body_of(request)
        (state,) = required(body, "state")
        check_status("DeploymentStatus", body, state, _DEPLOYMENT_STATES, ("log_url", "target_url", "environment_url"))
        status = self._status(one, state, request[LOGIN], body)
        if state == "success" and body.get("auto_inactive", True):
            self._retire(one, request[LOGIN])
        return web.json_response(shapes_state.deployment_status(self._shapes, one, status), status=201)

    def _status(self, one: Deployment, state: str, login: str, body: Mapping[str, Any]) -> DeploymentStatus:
        status = DeploymentStatus(
            id=self._state.new_id(),
            state=state,
            creator=login,
            description=body.get("description") or "",
            environment_url=body.get("environment_url") or "",
            log_url=body.get("log_url") or body.get("target_url") or "",
        )
        one.statuses.append(status)
        return status

    def _retire(self, current: Deployment, login: str) -> None:
        """A success ends the earlier deployments of its environment, unless it is a production environment."""
        for one in self._state.deployments:
            earlier = one.id < current.id and one.environment == current.environment
            if earlier and not one.transient and not one.production and one.state == "success":
                self._status(one, "inactive", login, {})

    def _one(self, request: web.Request) -> Deployment:
        number = int(request.match_info["id"])
        found = next((one for one in self._state.deployments if one.id == number), None)
        if found is None:
            raise not_found()
        return found
