from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from clients import process
from clients.git import Repository
from clients.gitcommand import Credential, environment
from release.errors import Refused
from sandbox.gitserver import GitServer
from sandbox.shop import history
from sandbox.shop.fastimport import git

Pushes = list[tuple[str, str, str]]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return history.build(tmp_path / "served" / "shop.git")


@pytest.fixture
def pushes() -> Pushes:
    return []


@pytest.fixture
async def server(bare: Path, pushes: Pushes) -> AsyncIterator[GitServer]:
    async def note(ref: str, old: str, new: str) -> None:
        pushes.append((ref, old, new))

    server = GitServer(bare.parent, password="word", on_push=note)
    await server.start()
    yield server
    await server.stop()


async def push(server: GitServer, work: Path, password: str, *refspecs: str) -> process.Completed:
    url = f"{server.address}/shop.git"
    return await process.run(
        ["git", "push", "--quiet", url, *refspecs],
        env=environment(work, url, Credential("tidegate", password)),
        timeout=10,
    )


async def cloned(server: GitServer, folder: Path) -> Path:
    return (await Repository.open(f"{server.address}/shop.git", folder)).folder


async def told(pushes: Pushes, count: int) -> Pushes:
    for _ in range(200):
        if len(pushes) >= count:
            break
        await asyncio.sleep(0.01)
    return pushes


async def test_anyone_reads(server: GitServer, bare: Path, tmp_path: Path):
    mirror = await cloned(server, tmp_path / "mirror")
    assert git(mirror, "show-ref") == git(bare, "show-ref")


async def test_a_push_changes_refs_and_is_told(server: GitServer, bare: Path, tmp_path: Path, pushes: Pushes):
    work = await cloned(server, tmp_path / "work")
    before = git(bare, "rev-parse", "main", "develop").split()
    commit = history.add_version(work, "2.0.0", {"error-rate": "0.2"})
    done = await push(server, work, "word", "main", "v2.0.0", ":develop")
    assert done.code == 0, done.stderr
    tag = git(bare, "rev-parse", "v2.0.0").strip()
    assert await told(pushes, 3) == [
        ("refs/heads/develop", before[1], "0" * 40),
        ("refs/heads/main", before[0], commit),
        ("refs/tags/v2.0.0", "0" * 40, tag),
    ]
    assert git(bare, "rev-parse", "v2.0.0^{commit}").strip() == commit


async def test_a_large_push_is_taken(server: GitServer, bare: Path, tmp_path: Path):
    work = await cloned(server, tmp_path / "work")
    commit = history.add_commit(work, "big", "chore: big", {"big.txt": os.urandom(1_500_000).hex()}, base="main")
    done = await push(server, work, "word", "big")
    assert done.code == 0, done.stderr
    assert git(bare, "rev-parse", "big").strip() == commit


@pytest.mark.parametrize("password", ["", "wrong"])
async def test_a_push_needs_the_password(server: GitServer, tmp_path: Path, pushes: Pushes, password: str):
    work = await cloned(server, tmp_path / "work")
    history.add_version(work, "2.0.0")
    assert (await push(server, work, password, "main")).code != 0
    assert pushes == []


async def test_who_listens_cannot_break_a_push(server: GitServer, bare: Path, tmp_path: Path):
    async def fail(ref: str, old: str, new: str) -> None:
        raise RuntimeError(ref)

    server.on_push = fail
    work = await cloned(server, tmp_path / "work")
    commit = history.add_version(work, "2.0.0")
    assert (await push(server, work, "word", "main")).code == 0
    assert git(bare, "rev-parse", "main").strip() == commit


async def test_an_unknown_repository(server: GitServer, tmp_path: Path):
    with pytest.raises(Refused, match="no git repository"):
        await Repository.open(f"{server.address}/other.git", tmp_path / "mirror")


async def test_a_compressed_request_is_read(server: GitServer, bare: Path):
    """Git packs long requests; this one is short, and packed by hand."""
    commit = git(bare, "rev-parse", "main").strip()
    line = f"want {commit} no-progress\n"
    body = f"{len(line) + 4:04x}{line}00000009done\n".encode()
    headers = {"Content-Type": "application/x-git-upload-pack-request", "Content-Encoding": "gzip"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.address}/shop.git/git-upload-pack", data=gzip.compress(body), headers=headers) as answer,
    ):
        assert answer.status == 200
        assert (await answer.read()).startswith(b"0008NAK\nPACK")


async def test_it_comes_back_at_its_address(server: GitServer, tmp_path: Path):
    address = server.address
    await server.stop()
    await server.start()
    assert server.address == address
    await cloned(server, tmp_path / "mirror")


async def test_a_git_without_http_backend_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "git").write_text(f"#!/bin/sh\necho {tmp_path}\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(Refused, match="no http-backend"):
        await GitServer(tmp_path, password="x").start()
