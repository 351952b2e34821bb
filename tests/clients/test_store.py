"""The durable store: tables made when missing, transactions, and a database that is away or wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from clients import tables
from clients.store import Store
from deployments.postgres import Postgres
from release.errors import Refused, Unavailable

ROW = {"at": 1.5, "who": "ada", "via": "test", "what": "vote", "detail": {"decision": "approve"}}


async def _who(store: Store) -> list[str]:
    async with store.begin() as connection:
        return [row.who for row in await connection.execute(select(tables.audit.c.who))]


async def test_what_was_written_is_there_for_the_next_one_who_opens_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    async with Store(url) as store, store.begin() as connection:
        await connection.execute(tables.audit.insert().values(ROW))
    async with Store(url) as store:
        assert await _who(store) == ["ada"]


async def test_what_raises_is_undone(tmp_path: Path) -> None:
    async with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        with pytest.raises(IntegrityError):
            async with store.begin() as connection:
                await connection.execute(tables.audit.insert().values(ROW))
                for _ in range(2):
                    await connection.execute(tables.used_codes.insert().values(person="ada", step=1, at=1.0))
        assert await _who(store) == []


@pytest.mark.parametrize("url", ["nonsense", "mysql://u:hunter2@h/d", "http://u:hunter2@h/d", ""])
def test_an_address_of_nothing_known_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Refused) as caught:
        Store(url)
    assert caught.value.field == "database.url"
    assert "hunter2" not in str(caught.value)


async def test_a_database_that_is_away_is_unavailable_and_keeps_its_password(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        async with Store(f"postgresql://u:hunter2@/d?host={tmp_path}"):
            raise AssertionError("never opened")
    assert "hunter2" not in str(caught.value)
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("state", "says"),
    [("57P03", "the database system is shutting down"), ("53300", "sorry, too many clients already")],
)
async def test_a_database_that_turns_callers_away_is_unavailable(state: str, says: str) -> None:
    async def turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # PostgreSQL's protocol: no encryption here, then an ErrorResponse to whoever wants to begin.
        while size := int.from_bytes(await reader.readexactly(4)):
            if int.from_bytes((await reader.readexactly(size - 4))[:4]) != 80_877_103:
                break
            writer.write(b"N")
        fields = f"SFATAL\0VFATAL\0C{state}\0M{says}\0\0".encode()
        writer.write(b"E" + (len(fields) + 4).to_bytes(4) + fields)
        writer.close()

    async with await asyncio.start_server(turn_away, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable, match="did not answer"):
            async with Store(f"postgresql://u:hunter2@127.0.0.1:{port}/d"):
                raise AssertionError("never opened")


@pytest.mark.slow
async def test_on_postgresql_many_open_it_at_once(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", tmp_path / "log")
    await server.start()
    try:
        url = await server.database("tidegate")
        assert url == await server.database("tidegate")

        async def once(number: int) -> None:
            async with Store(url) as store, store.begin() as connection:
                await connection.execute(tables.audit.insert().values({**ROW, "who": f"p{number}"}))

        await asyncio.gather(*(once(number) for number in range(6)))
        async with Store(url) as store:
            assert sorted(await _who(store)) == [f"p{number}" for number in range(6)]
            await server.stop()
            with pytest.raises(Unavailable):
                await _who(store)
    finally:
        await server.stop()
