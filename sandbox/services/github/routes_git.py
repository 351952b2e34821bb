"""Refs and tag objects."""

from __future__ import annotations

from aiohttp import web

from sandbox.services.github import gitwrites, shapes_git
from sandbox.services.github.gitdata import GitError
from sandbox.services.github.hub import Hub
from sandbox.services.github.paging import listing
from sandbox.services.github.problems import LOGIN, Problem, body_of, not_found, required
from sandbox.services.github.shapes import Json

_PROTECTED = "Repository rule violations found\n\nChanges must be made through a pull request.\n\n"


class Git:
    """The endpoints; each takes a request and gives GitHub's answer or raises Problem."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._git = hub.git
        self._shapes = hub.shapes

    def routes(self, root: str) -> list[web.RouteDef]:
        return [
            web.get(f"{root}/git/ref/{{ref:.+}}", self.ref),
            web.get(f"{root}/git/matching-refs/{{ref:.+}}", self.matching),
            web.post(f"{root}/git/refs", self.create_ref),
            web.patch(f"{root}/git/refs/{{ref:.+}}", self.move_ref),
            web.delete(f"{root}/git/refs/{{ref:.+}}", self.delete_ref),
            web.post(f"{root}/git/tags", self.create_tag),
            web.get(f"{root}/git/tags/{{sha}}", self.tag_object),
            web.get(f"{root}/tags", self.tags),
        ]

    async def ref(self, request: web.Request) -> web.Response:
        found = (await self._git.refs()).get(_name(request))
        if found is None:
            raise not_found()
        return web.json_response(shapes_git.ref(self._shapes, found))

    async def matching(self, request: web.Request) -> web.Response:
        refs = await self._git.refs()
        found = [ref for name, ref in refs.items() if name.startswith(_name(request))]
        return listing(request, [shapes_git.ref(self._shapes, ref) for ref in found])

    async def create_ref(self, request: web.Request) -> web.Response:
        name, sha = required(await body_of(request), "ref", "sha")
        if not name.startswith(("refs/heads/", "refs/tags/")) or not await gitwrites.is_ref_name(self._git, name):
            raise Problem(422, f"{name} is not a valid ref name.")
        if await gitwrites.object_type(self._git, sha) is None:
            raise Problem(422, "Object does not exist")
        try:
            async with self._hub.writing:
                await gitwrites.create_ref(self._git, name, sha)
        except GitError:
            exists = name in await self._git.refs()
            raise Problem(422, "Reference already exists" if exists else "Reference update failed") from None
        return await self._written(name, request[LOGIN], 201)

    async def move_ref(self, request: web.Request) -> web.Response:
        name, body = _name(request), await body_of(request)
        (sha,) = required(body, "sha")
        before = (await self._git.refs()).get(name)
        if before is None:
            raise Problem(422, "Reference does not exist")
        self._protect(name)
        if await gitwrites.object_type(self._git, sha) is None:
            raise Problem(422, "Object does not exist")
        if not body.get("force") and not await self._git.contains(sha, before.sha):
            raise Problem(422, "Update is not a fast forward")
        try:
            async with self._hub.writing:
                await gitwrites.move_ref(self._git, name, sha, before.sha)
        except GitError:
            raise Problem(422, "Reference update failed") from None
        return await self._written(name, request[LOGIN], 200)

    async def delete_ref(self, request: web.Request) -> web.Response:
        name = _name(request)
        if name not in await self._git.refs():
            raise Problem(422, "Reference does not exist")
        self._protect(name)
        async with self._hub.writing:
            await gitwrites.delete_ref(self._git, name)
        await self._hub.refs_changed(request[LOGIN])
        return web.Response(status=204)

    async def create_tag(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        tag, message, target, kind = required(body, "tag", "message", "object", "type")
        if await gitwrites.object_type(self._git, target) != kind:
            raise Problem(422, f"Could not verify object {target}")
        try:
            sha = await gitwrites.create_tag(self._git, tag, target, kind, message, request[LOGIN])
        except GitError as error:
            raise Problem(422, f"Could not create the tag: {error}") from None
        return web.json_response(await self._object(sha), status=201)

    async def tag_object(self, request: web.Request) -> web.Response:
        sha = request.match_info["sha"]
        if await gitwrites.object_type(self._git, sha) != "tag":
            raise not_found()
        return web.json_response(await self._object(sha))

    async def tags(self, request: web.Request) -> web.Response:
        names = [name for name in await self._git.refs() if name.startswith("refs/tags/")]
        found = [(name, await self._git.resolve(name)) for name in reversed(names)]
        items = [shapes_git.tag(self._shapes, name.removeprefix("refs/tags/"), sha) for name, sha in found if sha]
        return listing(request, items)

    async def _object(self, sha: str) -> Json:
        return shapes_git.tag_object(self._shapes, sha, await self._git.git("cat-file", "-p", sha))

    async def _written(self, name: str, login: str, status: int) -> web.Response:
        await self._hub.refs_changed(login)
        ref = (await self._git.refs())[name]
        return web.json_response(shapes_git.ref(self._shapes, ref), status=status)

    def _protect(self, name: str) -> None:
        if name.removeprefix("refs/heads/") in self._hub.state.protected:
            raise Problem(422, _PROTECTED)


def _name(request: web.Request) -> str:
    return f"refs/{request.match_info['ref']}"
