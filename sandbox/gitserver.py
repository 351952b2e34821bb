"""The sandbox's git server: bare repositories of one folder over HTTP, by git's own `http-backend`.

Everyone may read, below /private only who is let in, as at GitHub's private repositories; a push needs the user and the
password. It speaks git's smart protocol, because it is git.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from aiohttp import web

from release.errors import Refused
from sandbox.cgi import answer_from

_LOG = logging.getLogger(__name__)
_NOBODY = "0" * 40

OnPush = Callable[[str, str, str], Awaitable[None]]


class GitServer:
    """Serves the bare repositories in `root` on a loopback port (0: a free one). `accepts` says whether a token of the
    API lets one in, as on GitHub.

    `on_push(ref, old, new)` is called after a push for each ref it changed, in the order of their names; a ref
    that is new or gone has forty zeros on that side. Raises Refused on start when git has no http-backend.
    """

    def __init__(
        self,
        root: Path,
        *,
        username: str = "tidegate",
        password: str,
        accepts: Callable[[str], bool] = lambda _: False,
        on_push: OnPush | None = None,
        port: int = 0,
    ) -> None:
        self.on_push = on_push
        self._root = root
        self._username = username
        self._expected = _basic(username, password)
        self._accepts = accepts
        self._port = port
        self._backend = Path()
        self._pushing = asyncio.Lock()
        self._runner: web.AppRunner | None = None

    @property
    def address(self) -> str:
        """http://127.0.0.1:PORT, once started; a repository `shop.git` in `root` is at /shop.git."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen; the port is kept for a later start."""
        self._backend = await asyncio.to_thread(_backend)
        app = web.Application()
        app.router.add_route("*", "/private/{repository}/{path:.+}", self._serve_private)
        app.router.add_route("*", "/{repository}/{path:.+}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening; what is being served is ended."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        repository = self._root / request.match_info["repository"]
        if not await asyncio.to_thread((repository / "HEAD").is_file):
            return web.Response(status=404, text="There is no such repository.\n")
        if not _is_push(request):
            return await self._backend_answers(request, {})
        if not self._let_in(request):
            return _stranger()
        if request.method == "GET":
            return await self._backend_answers(request, {"REMOTE_USER": self._username})
        async with self._pushing:
            before = await asyncio.to_thread(_refs, repository)
            answer = await self._backend_answers(request, {"REMOTE_USER": self._username})
            after = await asyncio.to_thread(_refs, repository)
        await self._tell(before, after)
        return answer

    async def _serve_private(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request) if self._let_in(request) else _stranger()

    def _let_in(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        user, _, token = _plain(given).partition(":")
        known = hmac.compare_digest(given.encode(), self._expected.encode())
        return known or (user == "x-access-token" and self._accepts(token))

    async def _backend_answers(self, request: web.Request, further: Mapping[str, str]) -> web.StreamResponse:
        inside = {"PATH_INFO": request.path.removeprefix("/private")}
        environment = {"GIT_PROJECT_ROOT": str(self._root), "GIT_HTTP_EXPORT_ALL": "1", **inside, **further}
        return await answer_from(self._backend, request, environment)

    async def _tell(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        if self.on_push is None:
            return
        for ref in sorted(before.keys() | after.keys()):
            old, new = before.get(ref, _NOBODY), after.get(ref, _NOBODY)
            if old != new:
                try:
                    await self.on_push(ref, old, new)
                except Exception:  # the push is done: whoever listens must not undo it for the user
                    _LOG.exception("what listens to pushes failed for %s", ref)


def _basic(username: str, password: str) -> str:
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def _plain(header: str) -> str:
    """What a Basic header says, empty for another."""
    kind, _, word = header.partition(" ")
    try:
        return b64decode(word).decode() if kind == "Basic" else ""
    except ValueError:
        return ""


def _stranger() -> web.Response:
    return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="tidegate sandbox"'})


def _is_push(request: web.Request) -> bool:
    return "git-receive-pack" in (request.query.get("service"), request.match_info["path"])


def _refs(bare: Path) -> dict[str, str]:
    words = ["git", "for-each-ref", "--format=%(objectname) %(refname)"]
    text = subprocess.run(words, cwd=bare, capture_output=True, text=True, check=True).stdout
    return {name: sha for sha, name in (line.split(" ", 1) for line in text.splitlines())}


def _backend() -> Path:
    """Where git keeps its CGI program. Raises Refused when this git came without it."""
    if shutil.which("git") is None:
        raise Refused("git is not installed.", field="git", next_step="Install git.")
    folder = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
    backend = Path(folder) / "git-http-backend"
    if not backend.is_file():
        raise Refused(
            f"This git has no http-backend (looked for {backend}).",
            field="git",
            next_step="Install the whole of git: some minimal packages leave it out.",
        )
    return backend
