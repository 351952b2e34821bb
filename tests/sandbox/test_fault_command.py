"""`tidegate sandbox fault` with its options, as clients of the part that fails see it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from typer.testing import CliRunner

from release.errors import Refused
from sandbox import state
from sandbox.cli import app
from sandbox.controls import Controls
from sandbox.faultproxy import FaultProxy
from sandbox.faults import Faults
from sandbox.page.server import ControlServer
from sandbox.timedfaults import TimedFaults


@pytest.fixture
async def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A part behind its proxy, of a sandbox that has nothing else but its control API."""
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    site = web.Application()
    site.router.add_get("/", _answer)
    async with TestServer(site) as upstream:
        proxy = FaultProxy("github", "127.0.0.1", upstream.port or 0)
        under = Faults([proxy])
        await under.start()
        faults, nothing_else = TimedFaults(under), SimpleNamespace(home=tmp_path, world=SimpleNamespace(regions={}))
        control = ControlServer(Controls(nothing_else, None, faults))  # type: ignore[arg-type]
        held = state.acquire(tmp_path)
        assert held is not None
        state.write(tmp_path, state.State(os.getpid(), "", "ready", await control.start()))
        async with httpx.AsyncClient(base_url=f"http://{proxy.address}", trust_env=False) as client:
            yield client
        os.close(held)
        faults.stop()
        await control.stop()
        await under.stop()


async def _answer(_: web.Request) -> web.Response:
    return web.Response(text="well")


async def command(*argv: str) -> Any:
    return await asyncio.to_thread(CliRunner().invoke, app, ["fault", *argv])


async def test_retry_after_is_what_was_asked_for(github: httpx.AsyncClient) -> None:
    for options, told in (((), "1"), (("--retry-after", "7"), "7")):
        assert (await command("github", "429", *options)).exit_code == 0
        answer = await github.get("/")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, told)
    assert (await command("clear")).exit_code == 0
    assert (await github.get("/")).text == "well"


async def test_a_request_waits_as_long_as_was_asked_for(github: httpx.AsyncClient) -> None:
    assert (await command("github", "slow", "--delay", "0.8", "--for", "60")).exit_code == 0
    began = time.monotonic()
    assert (await github.get("/")).text == "well"
    assert time.monotonic() - began >= 0.8


@pytest.mark.parametrize(
    ("argv", "field"),
    [
        (("github", "down", "--delay", "1"), "--delay"),
        (("github", "503", "--retry-after", "1"), "--retry-after"),
        (("github", "slow", "--delay", "-1"), "delay"),
        (("github", "429", "--retry-after", "-1"), "retry_after"),
    ],
)
async def test_what_does_not_fit_is_refused(github: httpx.AsyncClient, argv: tuple[str, ...], field: str) -> None:
    result = await command(*argv)
    assert isinstance(result.exception, Refused)
    assert result.exception.field == field
    assert (await github.get("/")).text == "well"
