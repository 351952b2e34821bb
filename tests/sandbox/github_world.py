"""A small repository, the simulated GitHub over it, and a receiver of its webhooks, for the tests."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from clients.github import GitHub as Client
from sandbox.services.github import GitHub
from sandbox.services.site import Site

NAME = "acme/shop"
TOKEN = "ghs-robot"
PERSON = "ghp-person"
SECRET = "hook-secret"


def git(folder: Path, *arguments: str) -> str:
    """Run git in a work tree, as a fixed person."""
    settings = ["-c", "user.name=Dev", "-c", "user.email=dev@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", folder, *settings, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, path: str, text: str, message: str) -> str:
    (folder / path).write_text(text)
    git(folder, "add", path)
    git(folder, "commit", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def make_repository(folder: Path) -> tuple[Path, Path]:
    """A copy, in `folder`, of the repository and work tree that `_template` describes."""
    for name in ("shop.git", "work"):
        shutil.copytree(_template() / name, folder / name)
    return folder / "shop.git", folder / "work"


@functools.cache
def _template() -> Path:
    """A bare repository and a work tree that pushes to it, made once a test process.

    main has two commits and the tag v1.0.0; develop is one commit behind; hotfix/cart adds a file to main;
    hotfix/clash changes the line that main's last commit changed.
    """
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    bare, work = folder / "shop.git", folder / "work"
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", bare], check=True)
    subprocess.run(["git", "init", "-q", "--initial-branch=main", work], check=True)
    commit(work, "price.txt", "one\n", "feat: price")
    git(work, "branch", "develop")
    git(work, "checkout", "-qb", "hotfix/clash")
    commit(work, "price.txt", "three\n", "fix: another price")
    git(work, "checkout", "-q", "main")
    commit(work, "price.txt", "two\n", "fix: price")
    git(work, "tag", "-a", "v1.0.0", "-m", "First")
    git(work, "checkout", "-qb", "hotfix/cart")
    commit(work, "cart.txt", "cart\n", "fix: cart")
    git(work, "checkout", "-q", "main")
    git(work, "remote", "add", "origin", "../shop.git")
    git(work, "push", "-q", "origin", "--all")
    git(work, "push", "-q", "origin", "--tags")
    return folder


@dataclass
class Receiver:
    """Keeps what a webhook's receiver gets: headers and body; answers `status`."""

    got: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    status: int = 202

    async def handle(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status)

    def events(self) -> list[str]:
        return [headers["X-GitHub-Event"] for headers, _ in self.got]


@dataclass
class World:
    github: GitHub
    bare: Path
    work: Path
    receiver: Receiver
    receiver_url: str

    def client(self, token: str = TOKEN, name: str = NAME) -> Client:
        return Client(self.github.url, token, name)

    def sha(self, ref: str) -> str:
        return git(self.bare, "rev-parse", f"{ref}^{{commit}}")


@asynccontextmanager
async def new_world(folder: Path, *, limit: int = 5000) -> AsyncIterator[World]:
    bare, work = make_repository(folder)
    github = GitHub(bare, NAME, {TOKEN: "tidegate[bot]", PERSON: "ada"}, limit=limit)
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    site = Site(app)
    await site.start()
    await github.start(clone_url="http://127.0.0.1/shop.git")
    github.send_events_to(f"{site.url}/hook", SECRET)
    try:
        yield World(github, bare, work, receiver, f"{site.url}/hook")
    finally:
        await github.stop()
        await site.stop()
