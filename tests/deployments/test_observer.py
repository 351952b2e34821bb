"""The observer: one for all who look, seldom while nobody does, and no part darkens the others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from board_service import Service, service
from board_world import NOW, RUN, canary, seen, under_way
from operator_world import Browser

from deployments.service.observer import Observer, Part
from deployments.service.render import render
from release.board import fold
from release.board_seen import Seen
from release.errors import Unavailable


async def test_a_part_that_does_not_answer_is_named_and_the_rest_goes_on() -> None:
    whole = seen()
    away = True

    async def good(_: Seen) -> Callable[[Seen], Seen]:
        return lambda old: replace(old, regions=whole.regions, locks=whole.locks)

    async def bad(_: Seen) -> Callable[[Seen], Seen]:
        if away:
            raise Unavailable("it is away.")
        return lambda old: old

    parts = [Part("clusters", good, lambda _: 0.01), Part("Prefect", bad, lambda _: 0.01)]
    async with Observer(parts, Seen(whole.at), clock=lambda: whole.at) as observer, observer.watching():
        await observer.ready(5)
        assert observer.board.silent == ("Prefect does not answer: it is away.",)
        assert observer.board.environments[0].live == "v1.4.0 is live in all 3 regions"
        away = False
        version = observer.version
        assert await observer.changed(version, 5)
        assert observer.board.silent == ()


async def test_a_mistake_of_ours_is_no_silent_board() -> None:
    async def wrong(_: Seen) -> Callable[[Seen], Seen]:
        raise KeyError("x")

    parts = [Part("Prefect", wrong, lambda _: 0.01)]
    async with Observer(parts, seen(), clock=lambda: NOW) as observer:
        await observer.ready(5)
        assert observer.board.headline.tone == "warn"


async def test_it_looks_seldom_while_nobody_looks() -> None:
    looks = 0

    async def look(_: Seen) -> Callable[[Seen], Seen]:
        nonlocal looks
        looks += 1
        return lambda old: old

    async with Observer([Part("x", look, lambda _: 0.01)], seen(), idle=60) as observer:
        await asyncio.sleep(0.1)
        assert looks == 1
        async with observer.watching():
            await asyncio.sleep(0.2)
            assert looks > 3
        assert not await observer.changed(observer.version, 0.05), "what did not change is told to nobody"


def test_only_what_changed_is_sent() -> None:
    first, second = render(fold(under_way(weight=10)), 1), render(fold(under_way(weight=25)), 2)
    assert json.loads(second.since(None))["whole"]
    parts = json.loads(second.since(first))["parts"]
    assert set(parts) == {"releases", "region-production-us-east-1"}
    assert json.loads(second.since(second))["parts"] == {}
    other = render(fold(seen({"us-east-1": canary(25)})), 3)
    assert set(json.loads(other.since(second))["parts"]) == {"headline", "releases", "region-production-us-east-1"}


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Service]:
    async with service(tmp_path, seen()) as found:
        yield found


class Stream:
    """The events of one person's stream, as they come, straight from the application."""

    def __init__(self, browser: Browser, path: str) -> None:
        self.events: asyncio.Queue[tuple[str, dict[str, object]]] = asyncio.Queue()
        self._browser, self._path = browser, path
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Stream:
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def next(self, name: str) -> dict[str, object]:
        while True:
            found, data = await asyncio.wait_for(self.events.get(), 10)
            if found == name:
                return data

    async def over(self) -> None:
        """Returns once the service has ended it."""
        assert self._task is not None
        await asyncio.wait_for(self._task, 10)

    async def _read(self) -> None:
        cookies = "; ".join(f"{one.name}={one.value}" for one in self._browser.http.cookies.jar)
        path, _, query = self._path.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(b"host", b"board.test"), (b"cookie", cookies.encode())],
            "client": ("127.0.0.9", 1), "server": ("board.test", 80),
        }  # fmt: skip
        asked = False

        async def receive() -> dict[str, object]:
            nonlocal asked
            if asked:
                await asyncio.Event().wait()
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, object]) -> None:
            for block in bytes(message.get("body", b"")).decode().split("\n\n"):  # type: ignore[call-overload]
                lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
                if "event" in lines:
                    await self.events.put((lines["event"], json.loads(lines["data"])))

        await self._browser.app(scope, receive, send)  # type: ignore[arg-type]


async def test_a_change_comes_to_all_who_look(there: Service) -> None:
    ada, sam = there.someone(), there.someone()
    await ada.log_in("ada")
    await sam.log_in("sam")
    version = there.observer.version
    async with Stream(ada, f"/events?version={version}") as one, Stream(sam, "/events?version=1") as another:
        assert "whole" in await another.next("board"), "an older page gets it all"
        assert (await one.next("alive"))["told"]
        await there.show(under_way())
        for stream in (one, another):
            parts = (await stream.next("board"))["parts"]
            assert isinstance(parts, dict) and RUN in str(parts["releases"])


async def test_a_stream_ends_with_its_session(there: Service) -> None:
    ada = there.someone()
    await ada.log_in("ada")
    async with Stream(ada, f"/events?version={there.observer.version}") as stream:
        await stream.next("alive")
        await there.world.sessions.end_all("ada", there.world.clock())
        await there.show(under_way())
        await stream.next("over")


async def test_a_stream_ends_with_the_service_and_does_not_send_the_page_away(there: Service) -> None:
    ada = there.someone()
    await ada.log_in("ada")
    async with Stream(ada, f"/events?version={there.observer.version}") as stream:
        await stream.next("alive")
        there.app.state.ending = lambda: True
        await stream.over()
        assert stream.events.empty()


async def test_a_stream_needs_a_session(there: Service) -> None:
    transport = httpx.ASGITransport(there.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://board.test") as http:
        assert (await http.get("/events")).status_code == 303
