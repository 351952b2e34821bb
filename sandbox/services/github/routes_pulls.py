"""Pull requests."""

from __future__ import annotations

from aiohttp import web

from sandbox.services.github import gitwrites, shapes_pulls
from sandbox.services.github.gitwrites import Conflict
from sandbox.services.github.hub import Hub
from sandbox.services.github.paging import listing
from sandbox.services.github.problems import LOGIN, Problem, body_of, invalid, not_found, required
from sandbox.services.github.state import PullRequest


class Pulls:
    """The endpoints; each takes a request and gives GitHub's answer or raises Problem."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._shapes = hub.shapes
        self._state = hub.state

    def routes(self, root: str) -> list[web.RouteDef]:
        one = rf"{root}/pulls/{{number:\d+}}"
        return [
            web.get(f"{root}/pulls", self.list),
            web.post(f"{root}/pulls", self.create),
            web.get(one, self.get),
            web.patch(one, self.update),
            web.put(f"{one}/merge", self.merge),
        ]

    async def list(self, request: web.Request) -> web.Response:
        state, head = request.query.get("state", "open"), request.query.get("head", "")
        base, owner = request.query.get("base"), self._shapes.name.partition("/")[0]
        found = [
            shapes_pulls.listed(self._shapes, one)
            for one in reversed(self._state.pulls)
            if state in ("all", one.state)
            and head in ("", f"{one.fork or owner}:{one.head}")
            and base in (None, one.base)
        ]
        return listing(request, found)

    async def get(self, request: web.Request) -> web.Response:
        return web.json_response(await self._hub.whole_pull(self._one(request)))

    async def create(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        title, head, base = required(body, "title", "head", "base")
        pull = await self._new(title, head, base, request[LOGIN])
        pull.body, pull.draft = body.get("body"), bool(body.get("draft", False))
        self._state.pulls.append(pull)
        await self._hub.tell_pull("opened", pull, request[LOGIN])
        return web.json_response(await self._hub.whole_pull(pull), status=201)

    async def _new(self, title: str, label: str, base: str, login: str) -> PullRequest:
        whose, _, head = label.rpartition(":")
        owner = self._shapes.name.partition("/")[0]
        fork = whose if whose not in ("", owner) else None
        top, bottom = await self._hub.tip(head, fork), await self._hub.tip(base)
        if top is None or bottom is None:
            raise invalid("PullRequest", "invalid", "head" if top is None else "base")
        if any((one.head, one.fork, one.base, one.state) == (head, fork, base, "open") for one in self._state.pulls):
            raise _custom(f"A pull request already exists for {fork or owner}:{head}.")
        if await self._hub.git.contains(bottom, top):
            raise _custom(f"No commits between {base} and {head}")
        number = len(self._state.pulls) + 1
        new = self._state.new_id()
        return PullRequest(new, number, title, None, head, top, base, bottom, login, fork=fork)

    async def update(self, request: web.Request) -> web.Response:
        pull, body = self._one(request), await body_of(request)
        pull.title, pull.body = body.get("title", pull.title), body.get("body", pull.body)
        if body.get("state") == "closed" and pull.state == "open":
            await self._hub.close_pull(pull, None, request[LOGIN])
        elif body.get("state") == "open" and pull.state == "closed" and pull.merge_commit is None:
            pull.state, pull.closed = "open", None
            await self._hub.tell_pull("reopened", pull, request[LOGIN])
        return web.json_response(await self._hub.whole_pull(pull))

    async def merge(self, request: web.Request) -> web.Response:
        pull, body = self._one(request), await body_of(request)
        if pull.state != "open":
            raise Problem(405, "Pull Request is not mergeable")
        if body.get("sha", pull.head_sha) != pull.head_sha:
            raise Problem(409, "Head branch was modified. Review and try the merge again.")
        title = f"Merge pull request #{pull.number} from {pull.head}\n\n{pull.title}"
        message = str(body.get("commit_message") or title)
        try:
            async with self._hub.writing:
                sha = await gitwrites.merge(self._hub.git, pull.base, pull.head_sha, message, request[LOGIN])
        except Conflict:
            raise Problem(405, "Pull Request is not mergeable") from None
        await self._hub.close_pull(pull, sha, request[LOGIN])
        await self._hub.refs_changed(request[LOGIN])
        return web.json_response({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})

    def _one(self, request: web.Request) -> PullRequest:
        number = int(request.match_info["number"])
        found = next((one for one in self._state.pulls if one.number == number), None)
        if found is None:
            raise not_found()
        return found


def _custom(message: str) -> Problem:
    entry = {"resource": "PullRequest", "code": "custom", "message": message}
    return Problem(422, "Validation Failed", [entry])
