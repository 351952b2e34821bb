"""The builder with an engine that misbehaves; a fake one on a unix socket says what a test needs."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest
from collector import collecting
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


TRACED = """
import asyncio, sys
from pathlib import Path
from clients.builds import Build
from clients.docker import EngineBuilder
from clients.registry import Registry
from release.errors import Unavailable
from tasks import telemetry

async def built(host, folder):
    async with Registry("http://127.0.0.1:9", "shop", username="ci", password="hunter2") as registry:
        build = Build(Path(folder), "Dockerfile", registry.image, ("v1",), {"TOKEN": "hunter2"}, {})
        await EngineBuilder(host, registry, cache_from=("latest",)).build_and_push(build, lambda line: None)

telemetry.start()
try:
    asyncio.run(built(*sys.argv[1:]))
except Unavailable:  # nobody is at that registry
    pass
"""


async def test_each_call_of_the_engine_is_a_span_without_what_may_be_secret(tmp_path: Path, registry: Registry) -> None:
    build(tmp_path, registry)
    with collecting() as collector:
        env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        async with fake_engine(tmp_path, build=BUILT, push=PUSHED) as host:
            argv = (sys.executable, "-c", TRACED, host, str(tmp_path))
            program = await asyncio.create_subprocess_exec(*argv, env=env)
            assert await program.wait() == 0
    calls = [span.name for span in collector.spans if span.name.startswith("docker ")]
    assert calls == [f"docker {one}" for one in ("version", "login", "pull", "build", "tag", "push")]
    assert "hunter2" not in "".join(map(str, collector.spans))
