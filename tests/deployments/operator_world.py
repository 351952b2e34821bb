"""People, a store in a file, and a browser without a window, for the operator service's tests."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyotp
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import select

from clients import tables
from clients.openid import OpenId
from clients.sessions import Sessions
from clients.store import Store
from deployments.service.accounts import Account, Accounts
from deployments.service.login import Door
from release.people import Person, Role

PASSWORD = "correct horse battery staple"
# Cheap on purpose: the fast suite hashes often.
HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
ROLES: dict[str, Role] = {"ada": "operate", "bob": "approve", "sam": "see"}
SECRETS = {name: pyotp.random_base32() for name in ROLES}
ORIGIN = "http://board.test"


@dataclass
class Clock:
    """The service's time, moved by the test."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def account(name: str, role: Role, openid: str = "") -> Account:
    async def password() -> str:
        return HASHED

    async def code() -> str:
        return SECRETS[name]

    return Account(Person(name, frozenset({role})), password, code, openid)


@dataclass
class Browser:
    """One person's browser at the application."""

    app: FastAPI
    clock: Clock
    address: str = "127.0.0.9"
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        transport = httpx.ASGITransport(self.app, client=(self.address, 1), raise_app_exceptions=True)
        self.http = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN})

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.http.get(path, **more)

    async def post(self, path: str, fields: dict[str, str], **more: Any) -> httpx.Response:
        return await self.http.post(path, data=fields, **more)

    async def log_in(self, name: str = "ada", *, password: str = PASSWORD, code: str | None = None) -> httpx.Response:
        given = code if code is not None else pyotp.TOTP(SECRETS.get(name, SECRETS["ada"])).at(int(self.clock.now))
        return await self.post("/login", {"name": name, "password": password, "code": given, "next": "/"})

    async def token(self, path: str = "/") -> str:
        """What the page's forms bring."""
        found = re.search(r'name="token" value="([^"]+)"', (await self.get(path)).text)
        assert found is not None
        return found[1]


@dataclass
class World:
    """The service's door with people, and its store."""

    store: Store
    sessions: Sessions
    door: Door
    clock: Clock
    people: dict[str, Account]

    async def audit(self) -> list[tuple[str, str]]:
        async with self.store.begin() as connection:
            return [(row.who, row.what) for row in await connection.execute(select(tables.audit))]


@asynccontextmanager
async def world(folder: Path, openid: OpenId | None = None, **door: Any) -> AsyncIterator[World]:
    """Ada operates, Bob approves, Sam sees."""
    clock = Clock()
    people = {name: account(name, role, f"{name}@example.com") for name, role in ROLES.items()}
    async with Store(f"sqlite:///{folder / 'store.db'}") as store:
        sessions = Sessions(store, lasts=43_200, idle=7_200)
        key = await sessions.key("cookies")
        made = Door(Accounts(people, sessions), sessions, key, openid=openid, clock=clock, **door)
        yield World(store, sessions, made, clock, people)
