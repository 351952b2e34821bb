"""The sandbox's people: who they are, and those of them who approve by code what waits, unless they are told not to.

They vote as people do, by `tasks.ballot`: each code counts once, and who asked cannot approve.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import time
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any

import pyotp
from argon2 import PasswordHasher

from clients.ballots import Asked, Ballots
from clients.store import Store
from release import gates_code
from release.errors import TidegateError
from tasks import ballot

# These are for visitors, with codes as every device shows them.
VISITORS = ("ada", "bob", "eve")
# These approve by themselves; their codes change each second, because the sandbox releases more often than people do.
HELPERS = ("dan", "fay", "gus")
_HELPERS_PERIOD = 1
_LOOK_S = 0.2


def secrets() -> dict[str, str]:
    """Passwords (a visitor's is his name), and new secrets for codes and Slack's signature, by the names of their
    files."""
    codes = {f"totp-{name}": pyotp.random_base32() for name in (*_visitors(), *HELPERS)}
    # Known to everybody who reads this: it is the codes that keep somebody else out, here.
    passwords = {f"password-{name}": PasswordHasher().hash(name) for name in VISITORS}
    return {**codes, **passwords, "slack-signing": token_hex(16)}


def settings(files: Mapping[str, Path]) -> dict[str, Any]:
    """`people` of the overlay; `files` holds each secret's file by the names of `secrets`."""
    people: dict[str, Any] = {}
    for name in (*_visitors(), *HELPERS):
        helper = name in HELPERS
        people[name] = {
            "roles": ["approve" if helper else "operate"],
            "slack": f"U{name.upper()}",
            "totp": {"file": str(files[f"totp-{name}"])},
            "totp_period_s": _HELPERS_PERIOD if helper else gates_code.PERIOD,
        }
        if name in VISITORS:
            people[name]["password"] = {"file": str(files[f"password-{name}"])}
    return people


def _visitors() -> tuple[str, ...]:
    """With who started the sandbox: then it is proven who asks for a release at this machine."""
    own = getpass.getuser().lower()
    return (*VISITORS, own) if own.isalnum() and own not in (*VISITORS, *HELPERS) else VISITORS


class People:
    """The helpers, once started: they look for requests that wait, and vote while `approving`."""

    def __init__(self, database: Path, codes: Mapping[str, str]) -> None:
        self._database, self._codes = database, codes
        self.approving = True
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the settings must point at this sandbox by now."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        while True:
            # The database may be away, or a code was used in this second.
            with contextlib.suppress(TidegateError):
                async with Store(self._database.read_text()) as store:
                    while True:
                        await self._look(Ballots(store))
                        await asyncio.sleep(_LOOK_S)
            await asyncio.sleep(_LOOK_S)

    async def _look(self, ballots: Ballots) -> None:
        for request in await ballots.waiting() if self.approving else ():
            # Broken glass takes somebody who may operate: a visitor.
            if not request.bound.break_glass:
                await self._approve(ballots, request)

    async def _approve(self, ballots: Ballots, request: Asked) -> None:
        cast = {vote.person for vote in await ballots.votes(request.bound.key) if vote.bound == request.bound}
        free = [name for name in HELPERS if name not in cast]
        for name in free[: max(0, request.needed - len(cast))]:
            code = gates_code.code_at(self._codes[f"totp-{name}"], time.time(), _HELPERS_PERIOD)
            await ballot.approve_by_code(request.run, name, code, "approve", "the sandbox's people", "sandbox")
