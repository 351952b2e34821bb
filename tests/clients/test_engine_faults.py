"""The builder with an engine that misbehaves; a fake one on a unix socket says what a test needs."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from fake_engine import Events, fake_engine

from clients.builds import Build
from clients.docker import EngineBuilder, engine_reachable
from clients.registry import Registry
from release.errors import Failed, Refused, TidegateError, Unavailable
from sandbox.engine_elsewhere import shares_loopback

BUILT: Events = ({"stream": "Step 1/1 : FROM scratch\n"}, {"aux": {"ID": "sha256:" + "1" * 64}})
PUSHED: Events = ({"aux": {"Tag": "v1", "Digest": "sha256:" + "2" * 64, "Size": 1}},)


def build(folder: Path, registry: Registry) -> Build:
    (folder / "Dockerfile").write_text("FROM scratch\n")
    return Build(folder, "Dockerfile", registry.image, ("v1",), {}, {})


@pytest.mark.parametrize(
    ("built", "pushed", "kind", "words"),
    [
        (({"error": "COPY failed: no such file"},), (), Failed, "COPY failed"),
        (({"stream": "Step 1/1 : FROM scratch\n"},), (), Unavailable, "without an image"),
        (BUILT, ({"errorDetail": {"message": "denied: no"}, "error": "denied: no"},), Refused, "denied: no"),
        (BUILT, ({"error": "received unexpected HTTP status: 503"},), Unavailable, "503"),
        (BUILT, ({"status": "Pushed", "id": "abc"},), Unavailable, "without a digest"),
        (BUILT, PUSHED, Unavailable, "names nothing"),
    ],
)
async def test_errors_in_the_stream_are_found(
    tmp_path: Path, registry: Registry, built: Events, pushed: Events, kind: type[TidegateError], words: str
) -> None:
    async with fake_engine(tmp_path, build=built, push=pushed) as host:
        with pytest.raises(TidegateError, match=words) as caught:
            await EngineBuilder(host, registry).build_and_push(build(tmp_path, registry), print)
    assert type(caught.value) is kind


async def test_an_engine_that_falls_silent_is_unavailable(tmp_path: Path, registry: Registry) -> None:
    async with fake_engine(tmp_path, build=BUILT[:1], hangs=True) as host:
        with pytest.raises(Unavailable):
            await EngineBuilder(host, registry, silence=1).build_and_push(build(tmp_path, registry), print)


async def test_a_build_that_is_cancelled_lets_go_of_the_engine_at_once(tmp_path: Path, registry: Registry) -> None:
    started = asyncio.Event()
    threads = asyncio.get_running_loop()
    async with fake_engine(tmp_path, build=BUILT[:1], hangs=True) as host:
        job = EngineBuilder(host, registry).build_and_push(build(tmp_path, registry), lambda _: started.set())
        task = asyncio.create_task(job)
        await started.wait()
        before = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # Returns when no thread reads any more: the end of a run waits for them.
        await threads.shutdown_default_executor()
    assert time.monotonic() - before < 2


async def test_an_engine_that_cannot_reach_our_loopback_is_told_apart(tmp_path: Path) -> None:
    async with fake_engine(tmp_path) as host:
        assert await engine_reachable(host) == "fake"
        assert not await shares_loopback(host)
