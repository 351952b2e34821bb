"""Who asks for a run in place: what a code proves to its gates outside of the sandbox, and the row in the audit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from desk import Desk, Running, release
from look import Look, Regions
from sqlalchemy import select

from clients.tables import audit
from tasks.proof import required_store

pytestmark = pytest.mark.slow


@pytest.fixture
def real(desk: Desk, another: str) -> Path:
    """A home on the same addresses that does not say that they are a sandbox's: nobody is believed by his name."""
    return desk.variant(tidegate={"target": "real", "sandbox": None})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--as", "ada"), "2 people must approve: nobody has yet"),
        ((), "3 people must approve, one of them because nobody proved who asked: nobody has yet"),
    ],
)
def test_outside_the_sandbox_a_code_saves_an_approval(
    desk: Desk, look: Look, good: Regions, another: str, real: Path, options: tuple[str, ...], says: str
) -> None:
    desk.people(approve=False)
    code = {"TIDEGATE_CODE": desk.code("ada")} if options else {}
    with Running(desk, release(another, *options), real, desk.folder(), "ada", code) as running:
        running.until(says)
    assert look.digests() == good


def test_a_run_in_place_is_one_row_of_the_audit(desk: Desk, look: Look, served: Regions) -> None:
    before = asyncio.run(rows())
    assert desk.tidegate("retire", "staging", actor="bob").code == 0
    (row,) = asyncio.run(rows())[len(before) :]
    assert row[:3] == ("bob", "cli", "run retire")
    assert look.run(row[3])["name"] == "staging by bob"
    assert row[4] == {"proven": True}


async def rows() -> list[tuple[str, str, str, str, dict[str, object]]]:
    async with await required_store() as store, store.begin() as connection:
        found = await connection.execute(select(audit).order_by(audit.c.id))
        return [(row.who, row.via, row.what, row.run, row.detail) for row in found]
