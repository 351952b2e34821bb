"""The board over a world that the test makes: no cluster, no Prefect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from operator_world import Browser, World, world

from clients.history import History, Wanted
from deployments.service.board import BoardPages, Sources
from deployments.service.observer import Observer, Part
from release.board_actions import Plan
from release.board_seen import Past, Seen
from release.errors import TidegateError


@dataclass
class Scene:
    """What the observer sees, changed by the test; what was done by people."""

    seen: Seen
    done: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    error: TidegateError | None = None
    charts: dict[tuple[str, str, bool], str] = field(default_factory=dict)
    looks: int = 0

    async def look(self, _: Seen) -> Callable[[Seen], Seen]:
        self.looks += 1
        found = self.seen
        return lambda old: replace(found, silent=old.silent)

    async def do(self, plan: Plan, who: str, reason: str, code: str) -> str:
        if self.error is not None:
            raise self.error
        self.done.append((plan.action, plan.subject, who, reason, code))
        return f"{plan.action}: told {plan.subject}."

    async def chart(self, run: str, region: str, narrow: bool) -> str | None:
        return self.charts.get((run, region, narrow))


@dataclass
class Service:
    """The running board: `browser` is a person's, one more by `someone`."""

    scene: Scene
    world: World
    observer: Observer
    app: FastAPI

    def someone(self) -> Browser:
        return Browser(self.app, self.world.clock)

    async def show(self, seen: Seen) -> None:
        """Let the observer see something else, now."""
        version = self.observer.version
        self.scene.seen = seen
        self.observer.refresh()
        await self.observer.changed(version, 5)


@asynccontextmanager
async def service(folder: Path, seen: Seen, *, every: float = 0.02, **pages: Any) -> AsyncIterator[Service]:
    scene = Scene(seen)
    async with world(folder) as there:
        history = History(there.store)

        async def find(wanted: Wanted, limit: int, skip: int) -> tuple[tuple[Past, ...], int]:
            return await history.find(wanted, limit=limit, skip=skip)

        async def note(who: str, what: str, subject: str, reason: str, told: str) -> None:
            await there.sessions.note(who, what, there.clock(), run=subject, reason=reason, told=told)

        part = Part("world", scene.look, lambda _: every)
        async with Observer([part], Seen(seen.at), clock=lambda: seen.at, idle=every) as observer:
            board = BoardPages(there.door, observer, Sources(find, scene.chart, note), scene, **pages)
            app = FastAPI()
            app.include_router(there.door.router)
            app.include_router(board.router)
            await asyncio.wait_for(observer.ready(5), 5)
            yield Service(scene, there, observer, app)
