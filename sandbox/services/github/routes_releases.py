"""Releases."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from sandbox.services.github import gitwrites, shapes_state
from sandbox.services.github.gitdata import GitError
from sandbox.services.github.hub import Hub
from sandbox.services.github.paging import listing
from sandbox.services.github.problems import LOGIN, body_of, invalid, not_found, required
from sandbox.services.github.state import Release, now

# What GitHub tells, in its order, when a release that is not a draft appears.
_PUBLISHED = ("created", "published", "released")


class Releases:
    """The endpoints; each takes a request and gives GitHub's answer or raises Problem."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._shapes = hub.shapes
        self._state = hub.state

    def routes(self, root: str) -> list[web.RouteDef]:
        one = rf"{root}/releases/{{id:\d+}}"
        return [
            web.get(f"{root}/releases", self.list),
            web.post(f"{root}/releases", self.create),
            web.get(f"{root}/releases/latest", self.latest),
            web.get(f"{root}/releases/tags/{{tag:.+}}", self.by_tag),
            web.get(one, self.get),
            web.patch(one, self.update),
            web.delete(one, self.delete),
        ]

    async def list(self, request: web.Request) -> web.Response:
        return listing(request, [shapes_state.release(self._shapes, one) for one in reversed(self._state.releases)])

    async def latest(self, _request: web.Request) -> web.Response:
        return self._first(lambda one: not one.draft and not one.prerelease)

    async def by_tag(self, request: web.Request) -> web.Response:
        return self._first(lambda one: not one.draft and one.tag == request.match_info["tag"])

    async def get(self, request: web.Request) -> web.Response:
        return web.json_response(shapes_state.release(self._shapes, self._one(request)))

    async def create(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        (tag,) = required(body, "tag_name")
        draft = bool(body.get("draft", False))
        if not draft and any(one.tag == tag and not one.draft for one in self._state.releases):
            raise invalid("Release", "already_exists", "tag_name")
        target = str(body.get("target_commitish") or self._shapes.branch)
        if not draft:
            await self._ensure_tag(tag, target, request[LOGIN])
        release = Release(
            id=self._state.new_id(),
            tag=tag,
            target=target,
            author=request[LOGIN],
            name=body.get("name") or tag,
            body=body.get("body"),
            draft=draft,
            prerelease=bool(body.get("prerelease", False)),
            published=None if draft else now(),
        )
        self._state.releases.append(release)
        self._tell(release, request[LOGIN])
        return web.json_response(shapes_state.release(self._shapes, release), status=201)

    async def update(self, request: web.Request) -> web.Response:
        release, body = self._one(request), await body_of(request)
        was_draft = release.draft
        for name in ("name", "body", "draft", "prerelease"):
            if name in body:
                setattr(release, name, body[name])
        if was_draft and not release.draft:
            await self._ensure_tag(release.tag, release.target, request[LOGIN])
            release.published = now()
            self._tell(release, request[LOGIN])
        elif not release.draft:
            self._hub.tell_release(("edited",), release, request[LOGIN])
        return web.json_response(shapes_state.release(self._shapes, release))

    async def delete(self, request: web.Request) -> web.Response:
        release = self._one(request)
        self._state.releases.remove(release)
        self._hub.tell_release(("deleted",), release, request[LOGIN])
        return web.Response(status=204)

    async def _ensure_tag(self, tag: str, target: str, login: str) -> None:
        """GitHub makes a missing tag itself, a plain one, on the target."""
        git = self._hub.git
        if f"refs/tags/{tag}" in await git.refs():
            return
        sha = await git.resolve(target)
        if sha is None:
            raise invalid("Release", "invalid", "target_commitish")
        try:
            await gitwrites.create_ref(git, f"refs/tags/{tag}", sha)
        except GitError:
            raise invalid("Release", "custom", "tag_name", "tag_name is not a valid tag") from None
        await self._hub.refs_changed(login)

    def _tell(self, release: Release, login: str) -> None:
        if release.draft:
            return
        actions = [*_PUBLISHED[:2], "prereleased"] if release.prerelease else _PUBLISHED
        self._hub.tell_release(actions, release, login)

    def _first(self, wanted: Callable[[Release], bool]) -> web.Response:
        found = next((one for one in reversed(self._state.releases) if wanted(one)), None)
        if found is None:
            raise not_found()
        return web.json_response(shapes_state.release(self._shapes, found))

    def _one(self, request: web.Request) -> Release:
        number = int(request.match_info["id"])
        found = next((one for one in self._state.releases if one.id == number), None)
        if found is None:
            raise not_found()
        return found
