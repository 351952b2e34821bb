"""The end of `make demo`: with KEEP=1 the sandbox stays, and everything's address is told."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from rich.console import Console

from sandbox import state, story, told

TIMES = {"wall_s": 60.0, "setup_s": 10.0, "story_s": 50.0}
SUPERVISOR = """
import os, sys, time
from pathlib import Path
from sandbox import state

home = Path(sys.argv[1])
held = state.acquire(home)
names = ("kubernetes", "serve", "prefect", "git", "github")
parts = (*(state.Part(name, "real", f"https://{name}:1") for name in names), state.Part("tools", "real"))
state.write(home, state.State(os.getpid(), "", "ready", sys.argv[2], f"{home}/kubeconfig", parts=parts))
print("up", flush=True)
time.sleep(60)
"""


class Up:
    """Something that holds a home as a sandbox does, and says that its page is at `control`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[str] | None = None

    def start(self, control: str) -> None:
        command = [sys.executable, "-c", SUPERVISOR, str(self.home), control]
        self.process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "up\n"

    @property
    def lives(self) -> bool:
        assert self.process is not None
        return self.process.poll() is None


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Up]:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    found = Up(tmp_path)
    yield found
    if found.process is not None:
        found.process.kill()
        found.process.communicate()


@pytest.mark.parametrize("keep", ["1", ""])
def test_it_is_taken_down_unless_it_is_kept(up: Up, monkeypatch: pytest.MonkeyPatch, keep: str) -> None:
    monkeypatch.setenv("KEEP", keep)
    up.start("http://127.0.0.1:9")
    with pytest.raises(KeyboardInterrupt), story.taken_down(up.home):
        raise KeyboardInterrupt
    assert up.lives is bool(keep)
    assert (state.read(up.home) is not None) is bool(keep)


@pytest.mark.parametrize("keep", ["1", ""])
async def test_every_address_is_told_where_it_is_kept(up: Up, monkeypatch: pytest.MonkeyPatch, keep: str) -> None:
    monkeypatch.setenv("KEEP", keep)

    async def page(_: web.Request) -> web.Response:
        return web.json_response({"slack": [{"channel": "releases", "text": "v1.4.0 is live"}]})

    app = web.Application()
    app.router.add_get("/api/state", page)
    shown = io.StringIO()
    async with TestServer(app) as server:
        up.start(str(server.make_url("")).rstrip("/"))
        await asyncio.to_thread(told.end, Console(file=shown, width=200), "demo", TIMES, 30)
    text = shown.getvalue()
    assert "#releases: v1.4.0 is live" in text
    kept = ("Left up", f"{up.home}/kubeconfig", *(f" https://{name}:1" for name in ("kubernetes", "serve", "github")))
    assert [part in text for part in kept] == [bool(keep)] * len(kept)
    assert "  tools" not in text, "it has no address"
