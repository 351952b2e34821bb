"""The sandbox's registry: keeps its port and its data, and is built from source where no package can be had."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import httpx
import pytest

from clients.archive import ArchiveBuilder
from clients.builds import Build
from clients.registry import Registry
from sandbox.registry import RegistryAccess, RegistryServer


def server(folder: Path, cache: Path) -> RegistryServer:
    return RegistryServer(folder / "data", cache, folder / "registry.log", password="s3cret")


def cache_folder() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("TIDEGATE_CACHE") or home / "tidegate")


async def push(access: RegistryAccess, folder: Path) -> str:
    context = folder / "shop"
    context.mkdir(exist_ok=True)
    (context / "Dockerfile").write_text("FROM scratch\nLABEL a=b\n")
    async with Registry(access.url, "shop", username=access.username, password=access.password) as registry:
        build = Build(context, "Dockerfile", registry.image, ("v1",), {}, {})
        digest = await ArchiveBuilder(registry).build_and_push(build, print)
        assert await registry.labels(digest) == {"a": "b"}
    return digest


async def test_a_restart_keeps_the_port_and_the_images(tmp_path: Path) -> None:
    first = server(tmp_path, cache_folder())
    access = await first.start()
    if first.kind != "distribution":
        await first.stop()
        pytest.skip("crane's registry forgets")
    digest = await push(access, tmp_path)
    await first.stop()
    second = server(tmp_path, cache_folder())
    try:
        assert await second.start() == access
        async with Registry(access.url, "shop", username="tidegate", password="s3cret") as registry:
            found = await registry.manifest("v1")
        assert found is not None
        assert found.digest == digest
    finally:
        await second.stop()


async def test_a_port_that_is_taken_is_given_up(tmp_path: Path) -> None:
    other = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    taken = other.sockets[0].getsockname()[1]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "port").write_text(str(taken))
    async with other:
        registry = server(tmp_path, cache_folder())
        try:
            access = await registry.start()
            assert access.url != f"http://127.0.0.1:{taken}"
        finally:
            await registry.stop()


async def test_credentials_are_demanded_and_not_kept_in_the_clear(tmp_path: Path) -> None:
    registry = server(tmp_path, cache_folder())
    try:
        access = await registry.start()
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"{access.url}/v2/")).status_code == 401
            assert (await http.get(f"{access.url}/v2/", auth=("tidegate", "wrong"))).status_code == 401
        kept = [path.read_text(errors="ignore") for path in (tmp_path / "data").iterdir() if path.is_file()]
        assert not any("s3cret" in text for text in kept)
    finally:
        await registry.stop()


@pytest.mark.slow
async def test_without_debians_package_cranes_registry_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = shutil.which("go")
    if go is None:
        pytest.skip("needs Go")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "go").symlink_to(go)
    monkeypatch.setenv("PATH", str(tools))
    registry = server(tmp_path, tmp_path / "cache")
    try:
        access = await registry.start()
        assert registry.kind == "crane"
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"{access.url}/v2/")).status_code == 401
        await push(access, tmp_path)
    finally:
        await registry.stop()
