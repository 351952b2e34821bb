"""GitHub, simulated: one repository's REST API and webhooks over a real bare git repository."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from aiohttp import web

from release.errors import TidegateError
from sandbox.services.github.apps import App
from sandbox.services.github.deliveries import Delivery
from sandbox.services.github.gitdata import GitData, GitError
from sandbox.services.github.hub import Hub
from sandbox.services.github.problems import LOGIN, Problem, not_found
from sandbox.services.github.routes_deployments import Deployments
from sandbox.services.github.routes_git import Git
from sandbox.services.github.routes_hooks import Hooks
from sandbox.services.github.routes_pulls import Pulls
from sandbox.services.github.routes_releases import Releases
from sandbox.services.github.routes_repository import Repository
from sandbox.services.github.routes_statuses import Statuses
from sandbox.services.github.shapes import Shapes
from sandbox.services.github.state import State
from sandbox.services.site import Site

_HOUR = 3600


class GitHub:
    """`repository` is the bare repository's folder, `name` its `owner/name` at GitHub.

    `tokens` maps each accepted token to the login it belongs to; besides there is one `app`. `limit` is how many
    requests an hour a login has; `shows_hooks` whether they may see the webhook and its deliveries. `state` is readable
    by tests and the page; `refs_changed` is to be called after each push over git.
    """

    def __init__(
        self,
        repository: Path,
        name: str,
        tokens: Mapping[str, str],
        *,
        branch: str = "main",
        limit: int = 5000,
        port: int = 0,
        shows_hooks: bool = True,
    ) -> None:
        self._tokens = dict(tokens)
        self._limit = limit
        self._used: dict[str, int] = {}
        self._reset = 0
        self._shapes = Shapes(name, branch)
        self._hub = Hub(GitData(repository), self._shapes)
        self.app = App(self._shapes)
        self._site = Site(self._served(shows_hooks), port=port)

    def _served(self, shows_hooks: bool) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        root = f"/repos/{self._shapes.name}"
        # The narrower path of a group comes first: commits/{ref}/status before commits/{ref}.
        for group in (Statuses, Deployments, Releases, Git, Pulls, Repository):
            app.add_routes(group(self._hub).routes(root))
        app.add_routes(self.app.routes())
        if shows_hooks:
            app.add_routes(Hooks(self._hub).routes(root))
        return app

    def login_of(self, token: str) -> str | None:
        """Whose a token is, None for one that is not accepted, or not any more."""
        return self._tokens.get(token) or self.app.login_of(token)

    @property
    def url(self) -> str:
        """The REST API's address."""
        return self._site.url

    @property
    def state(self) -> State:
        return self._hub.state

    @property
    def deliveries(self) -> list[Delivery]:
        """Every webhook sent, oldest first."""
        return self._hub.deliveries.sent

    async def start(self, *, clone_url: str = "") -> None:
        """`clone_url` is where the repository is served, for those who read it from an answer."""
        await self._site.start()
        self._shapes.api, self._shapes.clone_url = self._site.url, clone_url
        await self._hub.start()

    async def stop(self) -> None:
        await self._site.stop()
        await self._hub.deliveries.stop()

    def send_events_to(self, url: str | None, secret: str) -> None:
        """Push, pull request and release events go there from now on, signed with `secret`; None stops them."""
        self._hub.deliveries.target(url, secret)

    def redeliver(self, delivery_id: str) -> None:
        """Send an event again with the same delivery id. Raises KeyError for an unknown id."""
        self._hub.deliveries.redeliver(delivery_id)

    async def settled(self) -> None:
        """Wait until every event on its way was answered or given up."""
        await self._hub.deliveries.settled()

    async def refs_changed(self, login: str = "developer") -> None:
        """Look at the repository's refs: each change since the last look is a push by `login`."""
        await self._hub.refs_changed(login)

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        login = ""
        try:
            login = request[LOGIN] = self._caller(request)
            self._count(login)
            response = await handler(request)
        except Problem as problem:
            response = problem.response()
        except web.HTTPException as error:
            response = (not_found() if error.status == 404 else Problem(error.status, error.reason)).response()
        except (GitError, TidegateError) as error:
            response = Problem(500, f"Git failed in the sandbox: {error}").response()
        response.headers.update(self._rates(login))
        return response

    def _caller(self, request: web.Request) -> str:
        header = request.headers.get("Authorization", "")
        if not header:
            raise Problem(401, "Requires authentication")
        token = header.partition(" ")[2].strip()
        if request.path.startswith("/app/"):
            return self.app.check(token)
        login = self.login_of(token)
        if login is None:
            raise Problem(401, "Bad credentials")
        return login

    def _count(self, login: str) -> None:
        if time.time() >= self._reset:
            self._used, self._reset = {}, int(time.time()) + _HOUR
        used = self._used.get(login, 0)
        if used >= self._limit:
            raise Problem(403, f"API rate limit exceeded for {login}.")
        self._used[login] = used + 1

    def _rates(self, login: str) -> Mapping[str, str]:
        used = self._used.get(login, 0)
        return {
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Api-Version-Selected": "2026-03-10",
            "X-RateLimit-Limit": str(self._limit),
            "X-RateLimit-Remaining": str(self._limit - used),
            "X-RateLimit-Used": str(used),
            "X-RateLimit-Reset": str(self._reset),
            "X-RateLimit-Resource": "core",
        }
