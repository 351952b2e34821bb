"""What a person does at the command line is in the audit with his name, where there is a database that answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import Result
from hooks import sqlite
from lockedplaces import Places, places
from sqlalchemy import select
from typer.testing import CliRunner

from clients.store import Store
from clients.tables import audit
from deployments.cli.main import app
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


async def rows(folder: Path) -> list[tuple[str, str, str, str]]:
    async with Store(sqlite(folder)) as store, store.begin() as connection:
        return [(row.who, row.via, row.what, row.run) for row in await connection.execute(select(audit))]


@pytest.mark.parametrize(
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
async def test_it_is_written_down_by_whom(
    held: Places, tmp_path: Path, words: tuple[str, ...], what: str, run: str
) -> None:
    result = await tidegate(*words)
    assert await rows(tmp_path) == [("eve", "cli", what, run)], result.output
    assert "audit" not in result.output


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
