"""The people of the operator service: who they are by password and one-time code, or by what a provider says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from clients.sessions import Sessions
from release import logins
from release.errors import Refused
from release.gates_code import step_of
from release.logins import Failure
from release.people import Person

# Verified for a name that nobody has, so that the time it takes says nothing. The password is nobody's.
_NOBODY = PasswordHasher().hash("nobody")
# The same words whatever was wrong: they must not say which names there are.
_WRONG = "name, password or code is wrong, or the code was used before."


@dataclass(frozen=True, slots=True)
class Account:
    """A person as he logs in. `password` and `code` read the argon2 hash and the TOTP secret, and raise Refused where
    they are not there; None for somebody who logs in by OpenID alone, as `openid` (email, else subject).

    `period` is how many seconds each code lasts.
    """

    person: Person
    password: Callable[[], Awaitable[str]] | None = None
    code: Callable[[], Awaitable[str]] | None = None
    openid: str = ""
    period: int = 30


class Accounts:
    """By name. What is refused counts, by name and address."""

    def __init__(self, people: Mapping[str, Account], sessions: Sessions) -> None:
        self._people, self._sessions = people, sessions

    def person(self, name: str) -> Person | None:
        """As the settings knew him when the service began: who was removed since is nobody after its restart, whatever
        session he has."""
        account = self._people.get(name)
        return None if account is None else account.person

    async def by_password(self, name: str, password: str, code: str, address: str, now: float) -> Person:
        """The person. Raises Refused, in the same words whatever was wrong, and for too many tries."""
        await self._allow(name, address, now)
        account = self._people.get(name)
        proven = account is not None and await self._proven(account, password, code, now)
        if account is None or not proven:
            if account is None:
                await _matches(_NOBODY, password)
            await self._sessions.failed(Failure(now, name, address))
            raise Refused(_WRONG, field="login", next_step="Wait for the next code, and try again.")
        return account.person

    async def by_openid(self, claims: Mapping[str, Any], address: str, now: float) -> Person:
        """The person whom an ID token's claims name, by verified email or by subject. Raises Refused."""
        email = str(claims.get("email", "")) if claims.get("email_verified") is True else ""
        names = {name.casefold() for name in (email, str(claims.get("sub", ""))) if name}
        for account in self._people.values():
            if account.openid and account.openid.casefold() in names:
                return account.person
        await self._sessions.failed(Failure(now, "", address))
        raise Refused(
            "the provider knows you, but nobody of `people` in tidegate.yaml is called so.",
            field="login",
            next_step="Ask for your verified email to be written there as `openid`.",
        )

    async def _allow(self, name: str, address: str, now: float) -> None:
        seconds = logins.wait(await self._sessions.failures(now), name[:80], address[:80], now)
        if seconds > 0:
            raise Refused(
                "there were too many tries that failed.",
                field="login",
                next_step=f"Wait {seconds / 60:.0f} minutes, then try again.",
            )

    async def _proven(self, account: Account, password: str, code: str, now: float) -> bool:
        if account.password is None or account.code is None:
            await _matches(_NOBODY, password)
            return False
        right = await _matches(await account.password(), password)
        step = step_of(await account.code(), code, now, period=account.period)
        # A code is spent only with the right password: a stranger must not use up somebody's codes.
        return right and step is not None and await self._sessions.use_code(account.person.name, step, now)


async def _matches(hashed: str, password: str) -> bool:
    try:
        return await asyncio.to_thread(PasswordHasher().verify, hashed, password)
    except (Argon2Error, InvalidHashError):
        return False
