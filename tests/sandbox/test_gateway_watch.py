"""The copy of the cluster follows an API server that ends watches, forgets versions and goes away."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio import client

from sandbox.gateway.watch import Reflector
from sandbox.ports import free_port


class ApiServer:
    """Lists `items`, and streams to each watch what is put into its queue; None ends the watch."""

    def __init__(self) -> None:
        self.port, self.version = free_port(), 1
        self.items: dict[str, dict[str, Any]] = {}
        self.asked: list[str | None] = []
        self.watches: asyncio.Queue[asyncio.Queue[Any]] = asyncio.Queue()
        self.runner: web.AppRunner | None = None

    def item(self, name: str, **more: Any) -> dict[str, Any]:
        self.version += 1
        made = {"metadata": {"name": name, "namespace": "n", "resourceVersion": str(self.version)}, **more}
        self.items[name] = made
        return made

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/things", self.get)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self.runner:
            await self.runner.cleanup()

    async def get(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.query.get("resourceVersion"))
        if "watch" not in request.query:
            return web.json_response(
                {"items": list(self.items.values()), "metadata": {"resourceVersion": str(self.version)}}
            )
        response, events = web.StreamResponse(), asyncio.Queue[Any]()
        await response.prepare(request)
        await self.watches.put(events)
        while (event := await events.get()) is not None:
            text = json.dumps(event).encode() + b"\n"
            # In two pieces: a line need not come in one.
            await response.write(text[:7])
            await response.write(text[7:])
        return response


@pytest.fixture
async def following():
    server, changes = ApiServer(), []
    server.item("a")
    await server.start()
    configuration = client.Configuration()
    configuration.host = f"http://127.0.0.1:{server.port}"
    async with client.ApiClient(configuration) as api:
        reflector = Reflector(api, "/things", changes.append)
        job = asyncio.ensure_future(reflector.run())
        yield server, reflector, changes
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
    await server.stop()


async def until(holds):
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_it_lists_then_watches_and_goes_on_where_a_watch_ended(following):
    server, reflector, changes = following
    events = await server.watches.get()
    assert reflector.synced.is_set()
    await events.put({"type": "ADDED", "object": server.item("b", data="x" * 200_000)})
    await until(lambda: ("n", "b") in reflector.objects)
    await events.put({"type": "DELETED", "object": server.items["a"]})
    await until(lambda: ("n", "a") not in reflector.objects)
    await events.put({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "77"}}})
    await events.put(None)
    await server.watches.get()
    assert server.asked == [None, "2", "77"]
    assert changes == [("n", "a"), ("n", "b"), ("n", "a")]


async def test_it_lists_again_when_its_version_is_too_old(following):
    server, reflector, changes = following
    events = await server.watches.get()
    del server.items["a"]
    server.item("c")
    await events.put({"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}})
    await server.watches.get()
    assert set(reflector.objects) == {("n", "c")}
    assert changes == [("n", "a"), ("n", "a"), ("n", "c")]


async def test_it_keeps_the_last_state_while_the_server_is_away(following):
    server, reflector, changes = following
    events = await server.watches.get()
    await server.stop()
    await events.put(None)
    await asyncio.sleep(0.2)
    assert set(reflector.objects) == {("n", "a")}
    server.item("a", data="new")
    await server.start()
    await until(lambda: reflector.objects["n", "a"].get("data") == "new")
    assert changes == [("n", "a"), ("n", "a")]
