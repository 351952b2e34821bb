"""The operator's part of the service, of this checkout's settings: the log-in and the release board, ready to be
mounted."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import APIRouter

from clients.history import History, Wanted
from clients.openid import Client, OpenId
from clients.sessions import Sessions
from clients.store import Store
from config import load
from config.schema import Secret
from config.settings import Settings
from deployments.service import world
from deployments.service.accounts import Account, Accounts
from deployments.service.board import BoardPages, Sources
from deployments.service.charts import Charts
from deployments.service.deeds import RealDeeds
from deployments.service.login import Door
from deployments.service.observer import Observer
from release.board_seen import Past
from tasks import context

_BACK = "/login/openid/back"


@asynccontextmanager
async def operating(store: Store) -> AsyncIterator[list[APIRouter]]:
    """The routes of log-in and board over an open store, kept fresh while the block runs."""
    settings = load.settings()
    environments = [load.environment(name) for name in load.ENVIRONMENTS]
    sessions = Sessions(store, lasts=settings.login.lasts_h * 3600, idle=settings.login.idle_min * 60)
    async with AsyncExitStack() as stack:
        openid = await _openid(settings, stack)
        accounts = Accounts(_people(settings), sessions)
        address = settings.login.address or ""
        door = Door(accounts, sessions, await sessions.key("cookies"), address=address, openid=openid)
        parts, nothing = world.parts(environments, store), world.nothing_seen(environments)
        observer = await stack.enter_async_context(Observer(parts, nothing))
        sources = _sources(store, sessions)
        board = BoardPages(door, observer, sources, RealDeeds(), open_to_read=settings.login.open_to_read)
        yield [door.router, board.router]


def _people(settings: Settings) -> dict[str, Account]:
    found = {}
    for name, one in settings.people.items():
        found[name] = Account(
            one.build(name),
            password=_reads(one.password, f"people.{name}.password"),
            code=_reads(one.totp, f"people.{name}.totp"),
            openid=one.openid,
            period=one.totp_period_s,
        )
    return found


def _reads(secret: Secret | None, field: str) -> Callable[[], Awaitable[str]] | None:
    """Read when it is needed: what is changed holds from the next log-in on."""
    return None if secret is None else partial(context.resolve, secret.ref(), field)


async def _openid(settings: Settings, stack: AsyncExitStack) -> OpenId | None:
    provider = settings.login.openid
    if provider is None:
        return None
    secret = await context.secret(provider.client_secret, "login.openid.client_secret")
    address = settings.login.address or f"http://{settings.service.host}:{settings.service.port}"
    client = Client(provider.issuer, provider.client_id, secret, address.rstrip("/") + _BACK)
    found = OpenId(client)
    stack.push_async_callback(found.close)
    return found


def _sources(store: Store, sessions: Sessions) -> Sources:
    history = History(store)

    async def find(wanted: Wanted, limit: int, skip: int) -> tuple[tuple[Past, ...], int]:
        return await history.find(wanted, limit=limit, skip=skip)

    async def note(who: str, what: str, subject: str, reason: str, told: str) -> None:
        await sessions.note(who, what, time.time(), run=subject[:64], reason=reason, told=told)

    return Sources(find, Charts().draw, note)
