"""Who is logged in at the operator service, kept in the store: what is revoked stays revoked over a restart.

The browser holds a random token; the store only its hash, so that nobody who reads the store can be somebody else.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from clients.store import Store
from clients.tables import audit, kept_keys, login_failures, sessions, used_codes
from release.logins import WINDOW, Failure

# A session that is used says so at most this often, in seconds.
_SEEN_EVERY = 60.0
_KEPT = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody's session: `token` is what his forms must bring, `via` password or openid. Times are seconds, epoch."""

    person: str
    via: str
    token: str
    began: float
    expires: float


class Sessions:
    """On an open store. Every method raises Unavailable where the database does not answer.

    A session ends after `lasts` seconds, and after `idle` seconds without a request.
    """

    def __init__(self, store: Store, *, lasts: float, idle: float) -> None:
        self._store, self._lasts, self._idle = store, lasts, idle

    async def begin(self, person: str, via: str, now: float) -> tuple[str, Session]:
        """A new session and the token that opens it."""
        opens = secrets.token_urlsafe(32)
        session = Session(person, via, secrets.token_urlsafe(32), now, now + self._lasts)
        row = {"key": _hash(opens), "person": person, "via": via, "token": session.token}
        async with self._store.begin() as connection:
            await connection.execute(delete(sessions).where(sessions.c.expires < now - _KEPT))
            await connection.execute(sessions.insert().values(**row, began=now, seen=now, expires=session.expires))
        return opens, session

    async def find(self, opens: str, now: float, *, uses: bool = True) -> Session | None:
        """The session that a token opens; None where it is over, revoked or none. `uses`: a person asks for something,
        which is what keeps it from ending as idle."""
        key = _hash(opens)
        async with self._store.begin() as connection:
            row = (await connection.execute(select(sessions).where(sessions.c.key == key))).one_or_none()
            if row is None or row.ended is not None or now >= row.expires or now - row.seen > self._idle:
                return None
            if uses and now - row.seen > _SEEN_EVERY:
                await connection.execute(update(sessions).where(sessions.c.key == key).values(seen=now))
        return Session(row.person, row.via, row.token, row.began, row.expires)

    async def end(self, opens: str, now: float) -> None:
        """Revoke the session that a token opens."""
        async with self._store.begin() as connection:
            await connection.execute(update(sessions).where(sessions.c.key == _hash(opens)).values(ended=now))

    async def end_all(self, person: str, now: float) -> None:
        """Revoke all sessions of a person."""
        mine = (sessions.c.person == person) & sessions.c.ended.is_(None)
        async with self._store.begin() as connection:
            await connection.execute(update(sessions).where(mine).values(ended=now))

    async def failures(self, now: float) -> tuple[Failure, ...]:
        """The log-ins that failed lately."""
        recent = select(login_failures).where(login_failures.c.at > now - WINDOW).order_by(login_failures.c.at)
        async with self._store.begin() as connection:
            return tuple(Failure(row.at, row.name, row.address) for row in await connection.execute(recent))

    async def failed(self, failure: Failure) -> None:
        """Note a log-in that failed."""
        row = {"at": failure.at, "name": failure.name[:80], "address": failure.address[:80]}
        async with self._store.begin() as connection:
            await connection.execute(delete(login_failures).where(login_failures.c.at < failure.at - WINDOW))
            await connection.execute(login_failures.insert().values(row))

    async def use_code(self, person: str, step: int, now: float) -> bool:
        """Take a one-time code by its time step; False where it was used before, here or for an approval."""
        try:
            async with self._store.begin() as connection:
                await connection.execute(used_codes.insert().values(person=person, step=step, at=now))
        except IntegrityError:
            return False
        return True

    async def note(self, who: str, what: str, now: float, *, run: str = "", **detail: str) -> None:
        """One row of the audit, by way of the board."""
        row = {"at": now, "who": who[:200], "via": "board", "what": what, "run": run, "detail": detail}
        async with self._store.begin() as connection:
            await connection.execute(audit.insert().values(row))

    async def key(self, name: str) -> str:
        """A random key of that name, the same for every process and after every restart."""
        found = select(kept_keys.c.value).where(kept_keys.c.name == name)
        for _ in range(2):
            async with self._store.begin() as connection:
                if (value := await connection.scalar(found)) is not None:
                    return str(value)
            try:
                async with self._store.begin() as connection:
                    await connection.execute(kept_keys.insert().values(name=name, value=secrets.token_urlsafe(48)))
            except IntegrityError:
                continue  # another process was faster
        async with self._store.begin() as connection:
            return str(await connection.scalar(found))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
