"""Builds with a real Docker Engine of the sandbox's own, pushed to a real registry."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from clients.builds import Build
from clients.docker import EngineBuilder, engine_reachable
from clients.registry import Registry
from release.errors import Failed, Refused, Unavailable
from sandbox.engine import Engine
from sandbox.engine_elsewhere import shares_loopback
from sandbox.registry import RegistryAccess, RegistryServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("dockerd") is None, reason="needs root and dockerd"),
]
DOCKERFILE = """\
ARG BASE=python:3.12-slim
FROM $BASE
ARG VERSION
COPY . /app
LABEL org.opencontainers.image.version=$VERSION
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    folder = tmp_path_factory.mktemp("e")
    own = Engine(folder / "run", folder / "layers", folder / "dockerd.log")
    # The socket of an engine that was there before is not what is tested here.
    await own.start_own()
    try:
        yield own
    finally:
        await own.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def access(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RegistryAccess]:
    folder = tmp_path_factory.mktemp("registry")
    cache = Path(os.environ.get("TIDEGATE_CACHE") or Path.home() / ".cache" / "tidegate")
    server = RegistryServer(folder / "data", cache, folder / "log", password=secrets.token_urlsafe())
    try:
        yield await server.start()
    finally:
        await server.stop()


@pytest_asyncio.fixture
async def registry(access: RegistryAccess) -> AsyncIterator[Registry]:
    async with Registry(access.url, "shop", username=access.username, password=access.password) as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "Dockerfile").write_text(DOCKERFILE)
    (shop / "shop.py").write_text(f"print({secrets.token_hex()!r})\n")
    return shop


def build(folder: Path, repository: str, *tags: str) -> Build:
    arguments = {"BASE": "scratch", "VERSION": "1.4.0"}
    return Build(folder, "Dockerfile", repository, tags, arguments, {"org.opencontainers.image.revision": "abc"})


def host(engine: Engine) -> str:
    assert engine.host is not None
    return engine.host


async def test_an_image_is_built_pushed_and_found_by_its_digest(
    engine: Engine, registry: Registry, folder: Path
) -> None:
    lines: list[str] = []
    builder = EngineBuilder(host(engine), registry)
    digest = await builder.build_and_push(build(folder, registry.image, "v1.4.0", "latest"), lines.append)
    assert any(line.startswith("Step 1/") for line in lines)
    assert await registry.labels(digest) == {
        "org.opencontainers.image.version": "1.4.0",
        "org.opencontainers.image.revision": "abc",
    }
    for tag in ("v1.4.0", "latest"):
        found = await registry.manifest(tag)
        assert found is not None
        assert found.digest == digest


async def test_an_unchanged_build_comes_from_the_cache(engine: Engine, registry: Registry, folder: Path) -> None:
    lines: list[str] = []
    builder = EngineBuilder(host(engine), registry)
    first = await builder.build_and_push(build(folder, registry.image, "a"), print)
    assert await builder.build_and_push(build(folder, registry.image, "a"), lines.append) == first
    assert any("Using cache" in line for line in lines)


async def test_a_failing_step_is_named(engine: Engine, registry: Registry, folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY missing.py /app/\n")
    with pytest.raises(Failed, match=r"Step 2/3 : COPY missing\.py"):
        await EngineBuilder(host(engine), registry).build_and_push(build(folder, registry.image, "v1"), print)
    (folder / "Dockerfile").write_text("FORM scratch\n")
    with pytest.raises(Failed, match="FORM"):
        await EngineBuilder(host(engine), registry).build_and_push(build(folder, registry.image, "v1"), print)


async def test_a_wrong_password_is_refused_before_the_build(
    engine: Engine, access: RegistryAccess, folder: Path
) -> None:
    lines: list[str] = []
    async with Registry(access.url, "shop", username="tidegate", password="hunter2") as stranger:
        with pytest.raises(Refused) as refused:
            await EngineBuilder(host(engine), stranger).build_and_push(
                build(folder, stranger.image, "v1"), lines.append
            )
    assert refused.value.field == "registry.username/password"
    assert "hunter2" not in str(refused.value)
    assert lines == []


async def test_a_push_without_credentials_is_refused(engine: Engine, access: RegistryAccess, folder: Path) -> None:
    async with Registry(access.url, "shop", username=None, password=None) as stranger:
        with pytest.raises(Refused):
            await EngineBuilder(host(engine), stranger).build_and_push(build(folder, stranger.image, "v1"), print)


async def test_a_registry_that_is_gone_is_unavailable(engine: Engine, folder: Path, unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with Registry(url, "shop", username="a", password="b") as gone:
        with pytest.raises(Unavailable):
            await EngineBuilder(host(engine), gone).build_and_push(build(folder, gone.image, "v1"), print)


async def test_a_second_sandbox_keeps_its_layers_elsewhere_and_can_fetch_them(
    engine: Engine, registry: Registry, folder: Path, tmp_path: Path
) -> None:
    lines: list[str] = []
    job = build(folder, registry.image, "cached")
    first = await EngineBuilder(host(engine), registry).build_and_push(job, print)
    data = engine.data
    assert data is not None
    second = Engine(tmp_path / "run", data, tmp_path / "dockerd.log")
    try:
        await second.start_own()
        assert second.data == tmp_path / "run" / "data"
        assert await engine_reachable(host(engine)) is not None
        cold = EngineBuilder(host(second), registry, cache_from=("missing", "cached"))
        assert await cold.build_and_push(job, lines.append) == first
        assert any("Using cache" in line for line in lines)
    finally:
        await second.stop()


async def test_an_engine_of_this_machine_reaches_our_loopback(engine: Engine) -> None:
    assert await shares_loopback(host(engine))


STARTS = """
import asyncio, sys
from pathlib import Path
from sandbox.engine import Engine

async def main():
    folder = Path(sys.argv[1])
    engine = Engine(folder / "run", folder / "layers", folder / "dockerd.log")
    await engine.start_own()
    print(engine.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_killed_sandbox_leaves_no_engine_and_the_next_one_starts(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTS, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    pid = int(await asyncio.wait_for(process.stdout.readline(), 30))
    process.kill()
    await process.communicate()
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            break
        await asyncio.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    again = Engine(tmp_path / "run", tmp_path / "layers", tmp_path / "dockerd.log")
    await again.start_own()
    await again.stop()
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


async def test_none_means_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_ENGINE", "none")
    lines: list[str] = []
    engine = Engine(tmp_path / "run", tmp_path / "layers", tmp_path / "log", say=lines.append)
    assert await engine.start() is None
    assert "stand-in" in lines[0]
    await engine.stop()
