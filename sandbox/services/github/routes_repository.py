"""The repository itself, its branches and commits, comparisons and merges; the caller and the rate limit."""

from __future__ import annotations

import json

from aiohttp import web

from sandbox.services.github import gitwrites, shapes_git
from sandbox.services.github.gitwrites import Conflict
from sandbox.services.github.hub import Hub
from sandbox.services.github.paging import asked, listing
from sandbox.services.github.problems import LOGIN, Problem, body_of, not_found, required

_PROTECTED = "Repository rule violations found\n\nChanges must be made through a pull request.\n\n"
_COMMITS = 250


class Repository:
    """The endpoints; each takes a request and gives GitHub's answer or raises Problem."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._git = hub.git
        self._shapes = hub.shapes

    def routes(self, root: str) -> list[web.RouteDef]:
        return [
            web.get(root, self.repository),
            web.get(f"{root}/branches", self.branches),
            web.get(f"{root}/branches/{{branch:.+}}", self.branch),
            web.put(f"{root}/branches/{{branch:.+}}/protection", self.protect),
            web.delete(f"{root}/branches/{{branch:.+}}/protection", self.unprotect),
            web.get(f"{root}/commits", self.commits),
            web.get(f"{root}/commits/{{ref:.+}}", self.commit),
            web.get(f"{root}/compare/{{names:.+}}", self.compare),
            web.post(f"{root}/merges", self.merge),
            web.get("/user", self.user),
        ]

    async def repository(self, _request: web.Request) -> web.Response:
        more = {"permissions": {"admin": False, "maintain": False, "push": True, "triage": True, "pull": True}}
        return web.json_response({**self._shapes.repository(), **more})

    async def user(self, request: web.Request) -> web.Response:
        known = self._shapes.user(request[LOGIN])
        empty = dict.fromkeys(("company", "blog", "location", "email", "hireable", "bio"))
        counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
        since = self._shapes.repository()["created_at"]
        return web.json_response(
            {**known, **empty, **counts, "name": request[LOGIN], "created_at": since, "updated_at": since}
        )

    async def branches(self, request: web.Request) -> web.Response:
        protected = self._hub.state.protected
        found = [
            {
                "name": name.removeprefix("refs/heads/"),
                "commit": {"sha": ref.sha, "url": f"{self._shapes.repo_url}/commits/{ref.sha}"},
                "protected": name.removeprefix("refs/heads/") in protected,
            }
            for name, ref in (await self._git.refs()).items()
            if name.startswith("refs/heads/")
        ]
        return listing(request, found)

    async def branch(self, request: web.Request) -> web.Response:
        name = request.match_info["branch"]
        ref = (await self._git.refs()).get(f"refs/heads/{name}")
        if ref is None:
            raise Problem(404, "Branch not found")
        data = await self._git.commit(ref.sha)
        protected = name in self._hub.state.protected
        return web.json_response(shapes_git.branch(self._shapes, name, data, protected))

    async def protect(self, request: web.Request) -> web.Response:
        """Whatever rules are asked for, the branch then takes changes by pull request only."""
        name = request.match_info["branch"]
        if f"refs/heads/{name}" not in await self._git.refs():
            raise Problem(404, "Branch not found")
        self._hub.state.protected.add(name)
        return web.json_response({"url": f"{self._shapes.repo_url}/branches/{name}/protection"})

    async def unprotect(self, request: web.Request) -> web.Response:
        if request.match_info["branch"] not in self._hub.state.protected:
            raise Problem(404, "Branch not protected")
        self._hub.state.protected.remove(request.match_info["branch"])
        return web.Response(status=204)

    async def commits(self, request: web.Request) -> web.Response:
        number, size = asked(request)
        head = await self._hub.commit_of(request.query.get("sha") or self._shapes.branch)
        total = int(await self._git.git("rev-list", "--count", head))
        found = await self._git.commits(head, limit=size, skip=(number - 1) * size)
        body = json.dumps([shapes_git.commit(self._shapes, one) for one in found])
        headers = listing(request, [{}] * total).headers.getall("Link", [])
        return web.Response(
            text=body, content_type="application/json", headers={"Link": headers[0]} if headers else None
        )

    async def commit(self, request: web.Request) -> web.Response:
        sha = await self._hub.commit_of(request.match_info["ref"])
        data = await self._git.commit(sha)
        files = await self._git.changes(data.parents[0] if data.parents else None, sha)
        return web.json_response(shapes_git.commit(self._shapes, data, files))

    async def compare(self, request: web.Request) -> web.Response:
        names = request.match_info["names"]
        sides = names.split("...")
        shas = [await self._git.resolve(side) for side in sides]
        if len(shas) != 2 or shas[0] is None or shas[1] is None:
            raise not_found()
        base, head = shas[0], shas[1]
        start = await self._git.merge_base(base, head)
        if start is None:
            raise Problem(404, f"No common ancestor between {sides[0]} and {sides[1]}.")
        commits = await self._git.commits(f"{start}..{head}", limit=_COMMITS)
        number, size = asked(request)
        shown = list(reversed(commits))[(number - 1) * size : number * size]
        answer = shapes_git.comparison(
            self._shapes,
            names,
            await self._git.commit(base),
            await self._git.commit(start),
            await self._git.counts(base, head),
            shown,
            await self._git.changes(start, head),
        )
        return web.json_response(answer)

    async def merge(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        base, head = required(body, "base", "head")
        if f"refs/heads/{base}" not in await self._git.refs():
            raise Problem(404, "Base does not exist")
        commit = await self._git.resolve(head)
        if commit is None:
            raise Problem(404, "Head does not exist")
        if await self._git.contains(f"refs/heads/{base}", commit):
            return web.Response(status=204)
        if base in self._hub.state.protected:
            raise Problem(409, _PROTECTED)
        message = str(body.get("commit_message") or f"Merge {head} into {base}")
        try:
            async with self._hub.writing:
                sha = await gitwrites.merge(self._git, base, commit, message, request[LOGIN])
        except Conflict:
            raise Problem(409, "Merge conflict") from None
        await self._hub.refs_changed(request[LOGIN])
        return web.json_response(shapes_git.commit(self._shapes, await self._git.commit(sha)), status=201)
