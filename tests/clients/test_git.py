from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from clients.git import Repository
from clients.gitcommand import Credential, explain
from release.errors import Refused, Unavailable
from release.versions import Version
from sandbox.shop import history
from sandbox.shop.fastimport import git


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return history.build(tmp_path / "shop.git")


@pytest.fixture
async def repository(bare: Path, tmp_path: Path) -> Repository:
    return await Repository.open(str(bare), tmp_path / "cache" / "shop.git")


def sha(bare: Path, ref: str) -> str:
    return git(bare, "rev-parse", f"{ref}^{{commit}}").strip()


@pytest.mark.parametrize(
    "ref", ["main", "develop", "feature/wishlist", "v1.4.0", "refs/heads/main", "refs/tags/v1.5.0"]
)
async def test_branches_and_tags(repository: Repository, bare: Path, ref: str):
    assert await repository.commit_of(ref) == sha(bare, ref)


async def test_commits(repository: Repository, bare: Path):
    commit = sha(bare, "v1.3.0")
    assert await repository.commit_of(commit) == commit
    assert await repository.commit_of(commit[:9]) == commit


EXPRESSIONS = ["main~1", "main^", "HEAD", ":/feat", "main@{0}", "main..develop", "..", "--help", "-x"]
UNKNOWN = ["", "v9.9.9", "nowhere", "a b", "x\ny", "/main", "main/", "deadbee", "0" * 40, "refs/pull/1/head", "abc"]


@pytest.mark.parametrize("ref", EXPRESSIONS + UNKNOWN)
async def test_anything_else_is_refused(repository: Repository, ref: str):
    with pytest.raises(Refused, match="neither a branch, a tag nor a commit") as caught:
        await repository.commit_of(ref)
    assert caught.value.field == "ref"


async def test_a_tag_wins_over_a_branch_of_its_name(bare: Path, tmp_path: Path):
    history.add_commit(bare, "v1.4.0", "fix: a branch named as a tag", base="main")
    repository = await Repository.open(str(bare), tmp_path / "mirror")
    assert await repository.commit_of("v1.4.0") == sha(bare, "refs/tags/v1.4.0")


async def test_a_branch_named_as_a_tag_is_no_tag(bare: Path, tmp_path: Path):
    history.add_commit(bare, "v9.9.9", "fix: a branch named as a tag", base="main")
    repository = await Repository.open(str(bare), tmp_path / "mirror")
    assert await repository.commit_of_tag("v1.4.0") == sha(bare, "refs/tags/v1.4.0")
    for name in ("v9.9.9", "main", sha(bare, "main")):
        with pytest.raises(Refused, match=f"no tag {name}") as caught:
            await repository.commit_of_tag(name)
        assert caught.value.field == "tag"


async def test_what_is_on_a_branch(repository: Repository):
    assert await repository.contains("main", "v1.5.0")
    assert await repository.contains("main", "main")
    assert not await repository.contains("main", "develop")
    assert await repository.is_ancestor("v1.6.0", "hotfix/stock")
    with pytest.raises(Refused) as caught:
        await repository.contains("master", "main")
    assert caught.value.field == "branch"


async def test_the_last_tag_is_by_version(repository: Repository, bare: Path, tmp_path: Path):
    assert await repository.last_tag("main") == "v1.8.0"
    assert await repository.last_tag("hotfix/stock") == "v1.6.0"
    assert await repository.last_tag(sha(bare, "v1.3.0~1")) is None
    history.add_version(bare, "1.10.0")
    history.add_version(bare, "1.9.0")
    git(bare, "tag", "v2.0.0-rc1", "main")
    git(bare, "tag", "nightly", "main")
    repository = await Repository.open(str(bare), repository.folder)
    assert await repository.last_tag("main") == "v1.10.0"
    assert next(iter((await repository.tags()).items())) == ("v1.10.0", Version(1, 10, 0))


async def test_messages_are_whole_and_newest_first(repository: Repository):
    assert await repository.messages("v1.8.0", "main") == (
        "feat(page): show what is in stock\n\nSold-out products stay on the page.",
        "fix(page): be ready once the cache is filled",
    )
    assert await repository.messages("main", "main") == ()
    assert (await repository.messages(None, "main"))[-1] == "feat: open the shop"


async def test_the_times_of_what_is_new_are_told(repository: Repository):
    new = await repository.times(["v1.8.0"], "main")
    assert len(new) == 2
    assert new[0] == (await repository.describe("main")).at
    assert await repository.times(["main", "v1.8.0"], "main") == ()


async def test_a_commit_is_described(repository: Repository, bare: Path):
    commit = await repository.describe("main")
    assert (commit.sha, commit.author, commit.email) == (sha(bare, "main"), "Ada Shop", "ada@shop.example")
    assert (commit.subject, commit.at[:10]) == ("feat(page): show what is in stock", "2026-01-05")


async def test_a_file_is_read(repository: Repository):
    assert "crash" in (await repository.read("v1.5.0", "Dockerfile") or "")
    assert await repository.read("v1.5.0", "nothing.txt") is None


async def test_the_checkout_is_clean_and_says_nothing_of_its_origin(repository: Repository, tmp_path: Path):
    folder = await repository.checkout("v1.5.0", tmp_path / "runs" / "source")
    (folder / "left.txt").write_text("x")
    assert await repository.checkout("v1.4.0", folder) == folder
    assert sorted(path.name for path in folder.parent.iterdir()) == ["source"]
    assert not (folder / "left.txt").exists()
    assert not (folder / ".git").exists()
    assert "ap-southeast-1" not in (folder / "Dockerfile").read_text()
    assert (folder / "shop" / "server.py").is_file()


async def test_two_checkouts_at_once(repository: Repository, tmp_path: Path):
    one, two = await asyncio.gather(
        repository.checkout("v1.4.0", tmp_path / "one"), repository.checkout("v1.5.0", tmp_path / "two")
    )
    assert (one / "Dockerfile").read_text() != (two / "Dockerfile").read_text()


async def test_a_work_tree_of_somebody_is_not_replaced(repository: Repository, tmp_path: Path):
    (tmp_path / "mine" / ".git").mkdir(parents=True)
    with pytest.raises(Refused, match="somebody's work tree"):
        await repository.checkout("main", tmp_path / "mine")


async def test_opening_again_follows_the_origin(bare: Path, tmp_path: Path):
    mirror = tmp_path / "mirror"
    before = await (await Repository.open(str(bare), mirror)).commit_of("main")
    new = history.add_version(bare, "2.0.0")
    git(bare, "branch", "-D", "develop")
    git(bare, "update-ref", "refs/pull/7/head", "main")
    moved = bare.rename(tmp_path / "moved.git")
    repository = await Repository.open(str(moved), mirror)
    assert await repository.commit_of("main") == await repository.commit_of("v2.0.0") == new != before
    with pytest.raises(Refused):
        await repository.commit_of("develop")
    assert "refs/pull" not in git(mirror, "show-ref")


async def test_many_open_the_same_mirror(bare: Path, tmp_path: Path):
    opened = await asyncio.gather(*(Repository.open(str(bare), tmp_path / "mirror") for _ in range(4)))
    assert {await one.commit_of("main") for one in opened} == {sha(bare, "main")}


async def test_what_a_killed_writer_left_is_cleared(bare: Path, tmp_path: Path):
    repository = await Repository.open(str(bare), tmp_path / "mirror")
    for left in ("packed-refs.lock", "refs/heads/main.lock"):
        (repository.folder / left).touch()
    new = history.add_version(bare, "2.0.0")
    assert await (await Repository.open(str(bare), tmp_path / "mirror")).commit_of("main") == new


async def test_no_repository_there(tmp_path: Path):
    with pytest.raises(Refused, match="no git repository") as caught:
        await Repository.open(str(tmp_path / "nothing.git"), tmp_path / "mirror")
    assert caught.value.field == "application.git"


async def test_nobody_answers(tmp_path: Path):
    with pytest.raises(Unavailable, match="did not answer"):
        await Repository.open("http://127.0.0.1:9/shop.git", tmp_path / "mirror")


@pytest.mark.parametrize("url", ["https://user:hidden@example.test/x.git", "https://hidden@example.test/x", "", "-x"])
async def test_a_credential_in_the_address_is_refused(url: str, tmp_path: Path):
    with pytest.raises(Refused) as caught:
        await Repository.open(url, tmp_path / "mirror")
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("stderr", "kind"),
    [
        ("fatal: Authentication failed for 'http://x/'", Refused),
        ("fatal: could not read Username for 'http://x': terminal prompts disabled", Refused),
        ("fatal: unable to access 'http://x/': The requested URL returned error: 403", Refused),
        ("fatal: repository 'http://x/' not found", Refused),
        ("fatal: unable to access 'http://x/': The requested URL returned error: 503", Unavailable),
        ("fatal: unable to access 'http://x/': The requested URL returned error: 429", Unavailable),
        ("fatal: unable to access 'http://x/': Could not resolve host: x", Unavailable),
        ("", Unavailable),
    ],
)
def test_what_git_complains_of(stderr: str, kind: type[Exception]):
    assert type(explain("http://x/", stderr)) is kind


def test_who_is_not_let_in_is_told_where_git_looks_for_credentials():
    told = explain("https://x/", "fatal: could not read Username for 'https://x': terminal prompts disabled")
    assert "credential helper" in str(told.next_step)
    assert "secret reference" not in str(told)


async def test_a_slow_server_is_unavailable(tmp_path: Path):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable, match="did not end within"):
            await Repository.open(f"http://127.0.0.1:{port}/shop.git", tmp_path / "mirror", timeout=0.5)


async def test_the_credential_is_in_no_argument(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A git of ours on PATH notes its arguments, and goes on as git."""
    tools = tmp_path / "tools"
    tools.mkdir()
    real = next(Path(part) / "git" for part in os.environ["PATH"].split(":") if (Path(part) / "git").is_file())
    fake = tools / "git"
    fake.write_text(f'#!/bin/sh\necho "$@" >> {tools}/arguments\nenv >> {tools}/environment\nexec {real} "$@"\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    repository = await Repository.open(str(bare), tmp_path / "mirror", credential=Credential("me", "hidden-word"))
    assert "hidden" not in repr(repository)
    arguments = (tools / "arguments").read_text()
    assert "fetch" in arguments
    assert "hidden" not in arguments
    assert "Authorization" not in arguments
    assert "Authorization: Basic" in (tools / "environment").read_text()
    assert "hidden-word" not in (repository.folder / "config").read_text()
