"""The release board: its page, its stream of changes, its history, and what people do from it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse, RedirectResponse, StreamingResponse

from clients.history import Wanted
from deployments.service import pages, render
from deployments.service.login import Door, Visitor
from deployments.service.observer import Observer
from deployments.service.pages import FOLDER, PageRoute
from deployments.service.render import Rendered
from release.board_actions import ROLES, Plan, plan
from release.board_seen import Past
from release.errors import Refused, TidegateError, Unavailable
from release.finished import OUTCOMES, PIPELINES
from release.people import ROLES as EVERY_ROLE

PAGE = 100
_FIRST_LOOK = 2.0
_ALIVE_EVERY = 2.0
# Changes that come at once are told at once.
_GATHERED = 0.2
_MOST_STREAMS = 60
_ASSETS = {"board.css": "text/css", "board.js": "text/javascript"}


class Deeds(Protocol):
    """What is done for a person; each answers with a sentence, and raises what the same command would."""

    async def do(self, plan: Plan, who: str, reason: str, code: str) -> str:
        """Carry out a plan that was confirmed."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What the board's further pages read. `chart` is a verdict's picture as SVG (run, region, whether for a phone),
    None where there is none; `note` writes what somebody did (who, what, subject, reason, how it went) into the
    audit."""

    find: Callable[[Wanted, int, int], Awaitable[tuple[tuple[Past, ...], int]]]
    chart: Callable[[str, str, bool], Awaitable[str | None]]
    note: Callable[[str, str, str, str, str], Awaitable[None]]


class BoardPages:
    """`router` serves them. `open_to_read` lets strangers look; whatever changes something needs a log-in."""

    def __init__(
        self, door: Door, observer: Observer, sources: Sources, deeds: Deeds, *, open_to_read: bool = False
    ) -> None:
        self._door, self._observer, self._sources, self._deeds = door, observer, sources, deeds
        self._open = open_to_read
        self._rendered: Rendered | None = None
        self._streams = 0
        self.router = APIRouter(route_class=PageRoute, include_in_schema=False)
        for path, answer in (
            ("/", self._page),
            ("/events", self._events),
            ("/here", self._here),
            ("/history", self._history),
            ("/verdict/{run}/{region}.svg", self._chart),
            ("/assets/{name}", self._asset),
            ("/do/{action}/{subject}", self._ask),
        ):
            self.router.add_api_route(path, answer, methods=["GET"])
        self.router.add_api_route("/do/{action}/{subject}", self._do, methods=["POST"])

    def rendered(self) -> Rendered:
        """The newest board, rendered once for all who look."""
        if self._rendered is None or self._rendered.version != self._observer.version:
            self._rendered = render.render(self._observer.board, self._observer.version)
        return self._rendered

    async def _page(self, request: Request, done: str = "") -> Response:
        visitor = await self._reader(request)
        await self._observer.ready(_FIRST_LOOK)
        return pages.html(
            "board.html",
            rendered=self.rendered(),
            board=self._observer.board,
            now=self._observer.now(),
            visitor=visitor,
            may=_may(visitor),
            done=self._door.opened(done),
        )

    async def _here(self, request: Request) -> Response:
        """Nothing, to somebody who may read on: a stream's failure does not tell the browser why."""
        await self._reader(request)
        return Response(status_code=204)

    async def _events(self, request: Request, version: int = 0) -> Response:
        # A page that is left open comes back by itself: nobody uses it for that.
        await self._reader(request, uses=False)
        if self._streams >= _MOST_STREAMS:
            raise Unavailable("too many people watch the board.", next_step="Close a window, or try again.")
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(request, version), media_type="text/event-stream", headers=headers)

    async def _stream(self, request: Request, version: int) -> AsyncIterator[str]:
        """What changed since `version`, and every few seconds that we are alive; ends with the session."""
        current = self.rendered()
        old = current if current.version == version else None
        self._streams += 1
        try:
            async with self._observer.watching():
                yield "retry: 2000\n\n"
                while await self._may_go_on(request):
                    if getattr(request.app.state, "ending", bool)():
                        return  # the browser comes back by itself, to the service that is started next
                    new = self.rendered()
                    if old is None or new.version != old.version:
                        yield f"event: board\ndata: {new.since(old)}\n\n"
                        old = new
                    alive = {"at": self._observer.now(), "told": render.moment(self._observer.board.at)}
                    yield f"event: alive\ndata: {json.dumps(alive)}\n\n"
                    if await self._observer.changed(old.version, _ALIVE_EVERY):
                        await asyncio.sleep(_GATHERED)
                yield "event: over\ndata: {}\n\n"
        finally:
            self._streams -= 1

    async def _may_go_on(self, request: Request) -> bool:
        if self._open:
            return True
        try:
            return await self._door.visitor(request, uses=False) is not None
        except Unavailable:
            return True  # what was shown a moment ago may be shown on; nothing can be changed meanwhile

    async def _history(
        self,
        request: Request,
        environment: str = "",
        pipeline: str = "",
        outcome: str = "",
        text: str = "",
        page: str = "1",
    ) -> Response:
        visitor = await self._reader(request)
        number = int(page) if page.isdigit() and len(page) < 7 else 1
        fields = {"environment": environment, "pipeline": pipeline, "outcome": outcome, "text": text}
        if not all(value.isprintable() for value in fields.values()):
            raise Refused("that cannot be looked for.", field="text", next_step="Look for what can be written.")
        wanted = Wanted(environment[:40], pipeline[:40], outcome[:40], text[:100])
        found, count = await self._sources.find(wanted, PAGE, PAGE * (max(1, number) - 1))
        choices = {
            "environment": [one.name for one in self._observer.board.environments],
            "pipeline": list(PIPELINES),
            "outcome": list(OUTCOMES),
        }
        return pages.html(
            "history.html",
            board=self._observer.board,
            visitor=visitor,
            found=found,
            count=count,
            wanted=fields,
            choices=choices,
            query=urlencode({name: value for name, value in fields.items() if value}),
            page=max(1, number),
            size=PAGE,
        )

    async def _chart(self, request: Request, run: str, region: str, narrow: str = "") -> Response:
        await self._reader(request)
        drawn = await self._sources.chart(run, region, bool(narrow))
        if drawn is None:
            raise Refused("there is no picture of that verdict.", field="region", next_step="Go back to the board.")
        # A picture has a style of its own, and must run nothing even where it is opened by itself.
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
        return Response(drawn, media_type="image/svg+xml", headers=headers)

    async def _asset(self, name: str) -> Response:
        if name not in _ASSETS:
            raise Refused("there is no such file.", field="name")
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return FileResponse(FOLDER / name, media_type=_ASSETS[name], headers=headers)

    async def _ask(self, request: Request, action: str, subject: str) -> Response:
        await self._door.require(request, "see")
        asked = plan(self._observer.board, action, subject)
        return self._confirm(await self._door.require(request, ROLES[asked.action]), asked)

    async def _do(self, request: Request, action: str, subject: str) -> Response:
        who = (await self._door.require(request, "see")).person.name
        try:
            asked = plan(self._observer.board, action, subject)
            visitor, fields = await self._door.posted(request, ROLES[asked.action])
        except Refused as error:
            await self._refused(who, action, subject, "", error.what)
            raise
        return await self._carry_out(visitor, asked, fields)

    async def _carry_out(self, visitor: Visitor, asked: Plan, fields: dict[str, str]) -> Response:
        who, reason = visitor.person.name, fields.get("reason", "").strip()[:300]
        changed = fields.get("shown") != asked.fingerprint
        if changed or (asked.needs_reason and not reason):
            why = "What you were asked about has changed. Look again:" if changed else "It needs a reason."
            await self._refused(who, asked.action, asked.subject, reason, why)
            return self._confirm(visitor, asked, why, reason)
        try:
            told = await self._deeds.do(asked, who, reason, fields.get("code", ""))
        except TidegateError as error:
            await self._refused(who, asked.action, asked.subject, reason, error.what)
            if isinstance(error, Refused):
                return self._confirm(visitor, asked, str(error), reason)
            raise
        await self._sources.note(who, asked.action, asked.subject, reason, told)
        self._observer.refresh()
        return RedirectResponse(f"/?{urlencode({'done': self._door.seal(told)})}", status_code=303)

    async def _refused(self, who: str, action: str, subject: str, reason: str, why: str) -> None:
        await self._sources.note(who, f"{action[:40]} refused", subject, reason, why)

    def _confirm(self, visitor: Visitor, asked: Plan, why: str = "", reason: str = "") -> Response:
        board = self._observer.board
        status = 409 if why else 200
        return pages.html("confirm.html", status, board=board, visitor=visitor, plan=asked, why=why, reason=reason)

    async def _reader(self, request: Request, *, uses: bool = True) -> Visitor | None:
        if self._open:
            return await self._door.visitor(request, uses=uses)
        return await self._door.require(request, "see", uses=uses)


def _may(visitor: Visitor | None) -> str:
    return " ".join(f"may-{role}" for role in EVERY_ROLE if visitor and visitor.person.may(role))
