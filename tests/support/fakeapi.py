"""An API server's manners without the API server: a loopback server that answers what a test tells it to."""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from config import load


@dataclass
class FakeApi:
    """`answers` maps (method, path) to a JSON body, or to a function of the request; others are 404.

    `seen` holds (method, path, query, body) of every request, in order.
    """

    kubeconfig: Path
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.seen.append((request.method, request.path, dict(request.query), json.loads(text) if text else None))
        answer = self.answers.get((request.method, request.path))
        if answer is None:
            return status(404, f'"{request.path}" not found')
        if not callable(answer):
            return web.json_response(answer)
        made = answer(request)
        return await made if inspect.isawaitable(made) else made

    def writes(self) -> list[tuple[str, str, dict[str, str], Any]]:
        return [one for one in self.seen if one[0] != "GET"]


def status(code: int, message: str) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return web.json_response(body, status=code)


def write_kubeconfig(path: Path, server: str, contexts: Sequence[str] = ("here",)) -> None:
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "here", "cluster": {"server": server}}],
                "users": [{"name": "tidegate", "user": {"token": "s3cret-token"}}],
                "contexts": [{"name": one, "context": {"cluster": "here", "user": "tidegate"}} for one in contexts],
                "current-context": contexts[0],
            }
        )
    )


@asynccontextmanager
async def serving(kubeconfig: Path, contexts: Sequence[str] = ("here",)) -> AsyncIterator[FakeApi]:
    """One on loopback, that every context of the kubeconfig leads to."""
    fake = FakeApi(kubeconfig)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    write_kubeconfig(kubeconfig, f"http://127.0.0.1:{runner.addresses[0][1]}", contexts)
    try:
        yield fake
    finally:
        await runner.cleanup()


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[FakeApi]:
    async with serving(tmp_path / "kubeconfig") as fake:
        yield fake


@pytest.fixture
async def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeApi]:
    """One API server for all configured regions, and for those that a test puts into the context `here`."""
    regions = [region for name in load.ENVIRONMENTS for region in load.environment(name).regions.values()]
    async with serving(tmp_path / "kubeconfig", ("here", *(one.context for one in regions))) as fake:
        monkeypatch.setenv("TIDEGATE__KUBECONFIG", str(fake.kubeconfig))
        fake.answers["GET", "/version"] = {"gitVersion": "v1.34.0"}
        yield fake
