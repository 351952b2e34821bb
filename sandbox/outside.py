"""The outside world that is not Kubernetes: registry, engine, git, GitHub, Slack, backup, monitoring's webhook."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.engine import Engine
from sandbox.faultproxy import FaultProxy
from sandbox.gitserver import GitServer
from sandbox.options import Options
from sandbox.overlay import CHANNELS
from sandbox.progress import Progress
from sandbox.registry import RegistryAccess, RegistryServer
from sandbox.services.github import GitHub
from sandbox.services.github.apps import LOGIN as APP_LOGIN
from sandbox.services.github.state import Deployment
from sandbox.services.hooks import Hooks
from sandbox.services.slack import Slack
from sandbox.shop import history

REPOSITORY = "tidegate/shop"
# Tidegate at GitHub, and one of the sandbox's people there.
LOGIN, DEVELOPER = "tidegate", "eve"
_PASSWORDS = ("registry", "git", "github", "github-developer", "github-webhook", "backup", "slack")
# Of each of these, everything goes through a proxy that can fail.
PROXIED = ("registry", "git", "github", "slack", "backup", "monitoring", "monitoring-webhook")


def proxied(options: Options) -> tuple[str, ...]:
    """The names of the parts of this sandbox that can fail."""
    return (*PROXIED, "prometheus") if options.prometheus else PROXIED


class Outside:
    """These parts; `proxies` (by name) stand before them and are what Tidegate is told."""

    def __init__(
        self, folder: Path, cache: Path, options: Options, progress: Progress, proxies: dict[str, FaultProxy]
    ) -> None:
        self._options, self._progress = options, progress
        self.proxies = proxies
        self.passwords = {name: secrets.token_urlsafe(24) for name in _PASSWORDS}
        logs = folder / "logs"
        self.registry = RegistryServer(
            folder / "registry",
            cache,
            logs / "registry.log",
            password=self.passwords["registry"],
            say=progress.say_of("registry"),
        )
        self.engine = Engine(folder / "engine", cache / "engine", logs / "dockerd.log", say=progress.say_of("engine"))
        self._bare = folder / "git" / "shop.git"
        tokens = {self.passwords["github"]: LOGIN, self.passwords["github-developer"]: DEVELOPER}
        self.github = GitHub(self._bare, REPOSITORY, tokens, shows_hooks=options.serve)
        self.git = GitServer(
            folder / "git", password=self.passwords["git"], accepts=self._may_push, on_push=self._pushed
        )
        self.slack = Slack(CHANNELS, self.passwords["slack"])
        self.hooks = Hooks(self.passwords["backup"])
        self.registry_up = asyncio.Event()

    async def start(self) -> None:
        """All of them side by side; raises the first one's error."""
        jobs: list[Callable[[], Coroutine[None, None, None]]] = [self._start_registry]
        jobs += [self._start_engine] if self._options.engine else []
        jobs += [self._start_git] if self._options.shop else []
        jobs += [self._start_slack, self._start_hooks] if self._options.services else []
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job())

    async def stop(self) -> None:
        """All of them; one that was never started does nothing."""
        ends = (part.stop() for part in (self.slack, self.hooks, self.github, self.git, self.registry, self.engine))
        await asyncio.gather(*ends)

    @property
    def pids(self) -> dict[str, int]:
        """Processes that these parts started."""
        found = {"registry": self.registry.pid, "dockerd": self.engine.pid}
        return {name: pid for name, pid in found.items() if pid is not None}

    def public(self, name: str) -> str:
        """The address that Tidegate is told, without a path."""
        return f"http://{self.proxies[name].address}"

    def access(self) -> RegistryAccess:
        """The registry as Tidegate and the nodes reach it."""
        return RegistryAccess(self.public("registry"), "tidegate", self.passwords["registry"])

    def _may_push(self, token: str) -> bool:
        """The two who are Tidegate at GitHub, by its token and as an App."""
        return self.github.login_of(token) in (LOGIN, APP_LOGIN)

    def deployments(self) -> list[Deployment]:
        """GitHub's deployments, oldest first."""
        return self.github.state.deployments

    def send_events_to(self, service: str) -> None:
        """GitHub's webhooks, to the service at that address; where nobody listens they fail, as in life."""
        self.github.send_events_to(f"{service}/webhooks/github", self.passwords["github-webhook"])

    def secrets(self) -> dict[str, str]:
        """What goes into files: passwords, and Slack's incoming webhooks through the proxy."""
        hooks = {
            f"slack-{channel}": self.public("slack") + urlsplit(address).path
            for channel, address in self.slack.webhooks.items()
        }
        return {**self.passwords, **hooks, "github-app": self.github.app.private_key}

    async def _open(self, name: str, address: str) -> None:
        parts = urlsplit(address)
        self.proxies[name].upstream = (str(parts.hostname), int(parts.port or 80))
        await self.proxies[name].start()

    async def _start_registry(self) -> None:
        with self._progress.part("registry", "real") as part:
            access = await self.registry.start()
            await self._open("registry", access.url)
            part.address, part.detail = self.public("registry"), self.registry.kind
        self.registry_up.set()

    async def _start_engine(self) -> None:
        with self._progress.part("engine", "real") as part:
            host = await self.engine.start()
            part.address = host or ""
            part.detail = f"Docker Engine {self.engine.version}" if host else f"none: {self.engine.reason}"
            if host is None:
                part.kind = "SIMULATED"

    async def _start_git(self) -> None:
        with self._progress.part("git", "real") as part:
            if not (self._bare / "HEAD").exists():
                await asyncio.to_thread(_build_once, self._bare)
            await self.git.start()
            await self._open("git", self.git.address)
            part.address, part.detail = f"{self.public('git')}/shop.git", "the sample shop's history"
        if self._options.services:
            await self._start_github()

    async def _start_github(self) -> None:
        with self._progress.part("github", "SIMULATED") as part:
            await self.github.start(clone_url=f"{self.public('git')}/shop.git")
            for tag, body in history.release_notes().items():
                self.github.state.publish(tag, body, LOGIN)
            await self._open("github", self.github.url)
            part.address, part.detail = self.public("github"), f"{REPOSITORY}, its part of the REST API"

    async def _pushed(self, _ref: str, _old: str, _new: str) -> None:
        if self._options.services:
            await self.github.refs_changed(DEVELOPER)

    async def _start_slack(self) -> None:
        with self._progress.part("slack", "SIMULATED") as part:
            await self.slack.start()
            await self._open("slack", self.slack.url)
            part.address = f"{self.public('slack')}/api"

    async def _start_hooks(self) -> None:
        with self._progress.part("hooks", "SIMULATED") as part:
            await self.hooks.start()
            await self._open("backup", self.hooks.backup_url)
            await self._open("monitoring-webhook", self.hooks.monitoring_url)
            part.address, part.detail = f"{self.public('backup')}/backup", "database backup and monitoring webhooks"


def _build_once(bare: Path) -> None:
    # A start that was killed must not leave half a repository behind.
    new = bare.with_name("shop.new")
    shutil.rmtree(new, ignore_errors=True)
    history.build(new)
    new.rename(bare)
