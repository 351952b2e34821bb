"""A small durable store in a database, over SQLAlchemy: what the operator's surfaces share and must not lose.

    async with Store("postgresql+asyncpg://...") as store, store.begin() as connection:
        await connection.execute(tables.audit.insert().values(...))

The tables are those of `clients.tables`, made when they are missing. The address holds a password: it is in no message.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from sqlalchemy import make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateIndex, CreateTable

from clients.tables import METADATA
from release.errors import Refused, Unavailable

TIMEOUT = 10.0
FIELD = "database.url"
# Names this store's own advisory lock: two processes that start together must not both make the tables.
_MAKING = 7_406_113
_DRIVERS = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}


class Store:
    """A database at `url`: PostgreSQL, or SQLite for trying. Use it with `async with`, or `open` and `close`.

    Raises Refused for an address that is none, Unavailable where the database does not answer in `timeout` seconds.
    """

    def __init__(self, url: str, *, timeout: float = TIMEOUT) -> None:
        self._engine = _engine(url, timeout)
        self._timeout = timeout

    async def open(self) -> None:
        """Make the tables that are missing."""
        async with self.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_MAKING})"))
            for table in METADATA.sorted_tables:
                await connection.execute(CreateTable(table, if_not_exists=True))
                for index in table.indexes:
                    await connection.execute(CreateIndex(index, if_not_exists=True))

    async def answers(self) -> None:
        """Raises Unavailable where the database does not; makes nothing."""
        async with self.begin() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self._engine.dispose()

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: kept when the block ends, undone when it raises. A broken rule of a table (a duplicate)
        is raised as SQLAlchemy's IntegrityError."""
        try:
            async with asyncio.timeout(self._timeout), self._engine.begin() as connection:
                yield connection
        except (OperationalError, InterfaceError, TimeoutError, OSError) as error:
            raise _away(error) from None
        except DBAPIError as error:
            if error.connection_invalidated or _turned_away(error):
                raise _away(error) from None
            raise


def _engine(url: str, timeout: float) -> AsyncEngine:
    wrong = Refused(
        "this is no address of a database that Tidegate knows.",
        field=FIELD,
        next_step="Write it as postgresql://USER:PASSWORD@HOST/DATABASE.",
    )
    try:
        address = make_url(url.strip())
    except (ArgumentError, ValueError):
        raise wrong from None
    driver = _DRIVERS.get(address.drivername, address.drivername)
    if driver not in _DRIVERS.values():
        raise wrong
    address = address.set(drivername=driver)
    try:
        if driver.startswith("sqlite"):
            return create_async_engine(address, connect_args={"timeout": timeout})
        # Few connections: each command and each run has a store of its own on the same server.
        arguments = {"timeout": timeout, "command_timeout": timeout}
        return create_async_engine(address, pool_size=2, max_overflow=3, pool_pre_ping=True, connect_args=arguments)
    except (ArgumentError, NoSuchModuleError):
        raise wrong from None


def _turned_away(error: DBAPIError) -> bool:
    """A server that starts, ends or has no connection left says so with an SQLSTATE of these classes
    (PostgreSQL's documentation, appendix A): connection, resources, operator."""
    return str(getattr(error.orig, "sqlstate", None) or "")[:2] in ("08", "53", "57")


def _away(error: BaseException) -> Unavailable:
    # The driver's own words may name the address with its password; the kind of the error is enough.
    cause = getattr(error, "orig", None) or error
    return Unavailable(
        f"the database did not answer ({type(cause).__name__}).",
        field=FIELD,
        next_step="See whether it runs and lets this machine in, then run the command again.",
    )
