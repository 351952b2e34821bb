"""One-time codes in the store: how many wrong ones were given, and which were used."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from clients.audit import record
from clients.store import Store
from clients.tables import audit, used_codes
from release import gates_code
from release.errors import Refused

_WRONG = "wrong code"


class Codes:
    """Over an open store. Raises Unavailable where the database does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def require_patience(self, person: str, now: float) -> None:
        """Raises Refused after too many wrong codes: nobody may guess."""
        since = now - gates_code.WRONG_WITHIN
        query = select(func.count()).where(audit.c.who == person, audit.c.what == _WRONG, audit.c.at > since)
        async with self._store.begin() as connection:
            if int(await connection.scalar(query) or 0) >= gates_code.MOST_WRONG:
                raise Refused(
                    f"{gates_code.MOST_WRONG} wrong codes were given for {person}: none is looked at for ten minutes.",
                    field="code",
                    next_step="If that was not you, tell whoever looks after Tidegate.",
                )

    async def wrong(self, person: str, via: str, run: str, at: float) -> None:
        """Count a wrong code."""
        async with self._store.begin() as connection:
            await record(connection, person, via, _WRONG, run, at)

    async def use(self, person: str, step: int, at: float) -> None:
        """Use a code up, by its time step. Raises Refused for a second use."""
        async with self._store.begin() as connection:
            await spend(connection, person, step, at)


async def spend(connection: AsyncConnection, person: str, once: int, at: float) -> None:
    """Use up, within a transaction, a number that this person may use only once. Raises Refused for a second use."""
    try:
        await connection.execute(used_codes.insert().values(person=person, step=once, at=at))
    except IntegrityError:
        raise Refused(
            "this code was used before; each counts once.",
            field="code",
            next_step="Wait for the next one (30 s) and give that.",
        ) from None
