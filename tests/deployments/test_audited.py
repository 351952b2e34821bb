"""What a person does at the command line is in the audit with his name, where there is a database that answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import Result
from hooks import sqlite
from lockedplaces import Places, places
from somepeople import code, configured
from sqlalchemy import select
from typer.testing import CliRunner

from clients.store import Store
from clients.tables import audit
from deployments.cli.main import app
from release.errors import Refused
from release.locking import Holder

RUN = "3f2a1111-2222-4333-8444-555555555555"


@pytest.fixture
async def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Places]:
    monkeypatch.setenv("TIDEGATE__PREFECT__API", "http://127.0.0.1:9/api")
    monkeypatch.setenv("TIDEGATE__DATABASE__URL__FILE", str(tmp_path / "address"))
    monkeypatch.setenv("TIDEGATE_ACTOR", "eve")
    (tmp_path / "address").write_text(sqlite(tmp_path))
    async with places(tmp_path, monkeypatch) as found:
        await found.hold("production", Holder(RUN, "ada", "production v1.5.0"))
        yield found


async def tidegate(*words: str) -> Result:
    """The command, in a thread of its own: it has an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, list(words))


async def rows(folder: Path) -> list[tuple[str, str, str, str, bool]]:
    async with Store(sqlite(folder)) as store, store.begin() as connection:
        found = await connection.execute(select(audit))
        return [(row.who, row.via, row.what, row.run, row.detail["proven"]) for row in found]


ORDERS = pytest.mark.parametrize(
    ("words", "what", "run"),
    [
        (("abort", "3f2a", "--reason", "wrong version"), "abort", RUN),
        (("hold", "3f2a"), "hold", RUN),
        (("resume", "3f2a"), "resume", RUN),
        (("promote", "3f2a"), "promote", RUN),
        (("unlock", "production", "--reason", "it is dead"), "unlock", RUN),
        (("maintenance", "off", "production"), "maintenance off", ""),
    ],
)


@ORDERS
async def test_it_is_written_down_by_whom(
    held: Places, tmp_path: Path, words: tuple[str, ...], what: str, run: str
) -> None:
    result = await tidegate(*words)
    assert await rows(tmp_path) == [("eve", "cli", what, run, False)], result.output
    assert "audit" not in result.output


@ORDERS
async def test_where_there_are_people_it_takes_one_who_may_and_proves_it(
    held: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], what: str, run: str
) -> None:
    (tmp_path / "address").write_text(configured(tmp_path, monkeypatch))
    monkeypatch.setenv("TIDEGATE_CODE", code())
    for more, says in (
        ((), "no secret for one-time codes"),
        (("--as", "bob"), "nobody called 'bob' may do this"),
        (("--as", "mallory"), "nobody called 'mallory' may do this"),
    ):
        refused = await tidegate(*words, *more)
        assert isinstance(refused.exception, Refused), refused.output
        assert says in refused.exception.what
    assert await rows(tmp_path) == []
    result = await tidegate(*words, "--as", "ada")
    assert await rows(tmp_path) == [("ada", "cli", what, run, True)], result.output


async def test_the_sandbox_believes_a_name(held: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "address").write_text(configured(tmp_path, monkeypatch))
    # A home keeps its target as long as the process lives.
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path / "sandbox"))
    monkeypatch.setenv("TIDEGATE__TARGET", "sandbox")
    assert (await tidegate("hold", "3f2a")).exit_code == 0
    assert await rows(tmp_path) == [("eve", "cli", "hold", RUN, True)]
    monkeypatch.setenv("TIDEGATE_ACTOR", "bob")
    assert isinstance((await tidegate("resume", "3f2a")).exception, Refused)


async def test_an_emergency_waits_for_no_database(
    held: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(tmp_path, monkeypatch)
    (tmp_path / "address").write_text("postgresql://tidegate@127.0.0.1:9/tidegate")
    monkeypatch.setenv("TIDEGATE_CODE", code())
    result = await tidegate("abort", "3f2a", "--reason", "wrong version", "--as", "ada")
    assert result.exit_code == 0, result.output
    assert await held.orders("production") == [("abort", "ada")]
    assert "Note: whether ada's code was used before is not known" in result.output


@pytest.mark.parametrize("url", ["postgresql://tidegate@127.0.0.1:9/tidegate", ""])
async def test_a_database_that_is_away_keeps_nobody_from_it_and_is_said(held: Places, tmp_path: Path, url: str) -> None:
    (tmp_path / "address").write_text(url)
    result = await tidegate("abort", "3f2a", "--reason", "wrong version")
    assert result.exit_code == 0, result.output
    assert await held.orders("production") == [("abort", "eve")]
    (note,) = [line for line in result.output.splitlines() if "audit" in line]
    assert note.startswith("Note: abort is not in the audit: ")


async def test_without_a_database_that_is_said(held: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIDEGATE__DATABASE__URL__FILE")
    result = await tidegate("unlock", "production", "--reason", "it is dead")
    assert result.exit_code == 0, result.output
    assert "unlock is not in the audit: no database is configured" in result.output
