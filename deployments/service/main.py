"""The service as a program: `tidegate serve`. One process; several may share a database behind a load balancer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import uvicorn
from fastapi import APIRouter, FastAPI

from clients.ballots import Ballots
from clients.deliveries import Deliveries
from clients.store import Store
from config import load
from config.service import Service
from config.settings import Settings
from deployments import prefectapi, voting
from deployments.metrics.mount import measuring
from deployments.service import slack, webhook
from deployments.service.app import Health, application
from deployments.service.forwarder import Forwarder
from deployments.service.limits import Buckets
from deployments.service.missed import Finder, finding
from deployments.service.operator import operating
from deployments.service.waker import Waker
from release import missed
from release.errors import Refused, TidegateError, Unavailable
from release.triggers import Source
from tasks import context, logs

_AGAIN_AFTER_S = 2.0
# More at once are told to come again: each may hold one body.
_AT_ONCE = 100

log = logging.getLogger("tidegate.service")


async def serve() -> None:
    """Serve until SIGTERM or Ctrl-C. Raises Refused for settings that name nothing to serve or no database."""
    settings = load.settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logs.start()
    async with contextlib.AsyncExitStack() as stack:
        store = await _opened(stack)
        prefect = await stack.enter_async_context(prefectapi.orders())
        deliveries = Deliveries(store)
        forwarder = Forwarder(deliveries, prefect, _tell)
        source = Source(settings.application.github, settings.application.branch)
        finder = await stack.enter_async_context(finding(deliveries, source))
        inbox = await _inbox(settings, deliveries, source, forwarder, finder)
        routers = [*_routers(settings, inbox), await stack.enter_async_context(measuring(store))]
        routers += await stack.enter_async_context(operating(store))
        app = application(
            routers,
            Health(lambda: deliveries.counts(time.time() - missed.KEPT_S), prefect.healthy),
            Buckets(settings.service.rate_per_s, settings.service.burst),
        )
        looking = await stack.enter_async_context(prefectapi.runs())
        server = prepared(settings.service, app)
        asking = [finder.run()] if finder and inbox else []
        async with beside(server.stop, forwarder.run(), Waker(Ballots(store), looking).run(), *asking):
            await _listen(settings.service, server)


async def _opened(stack: contextlib.AsyncExitStack) -> Store:
    """The database, as soon as it answers: nothing could be kept before."""
    store = await context.store()
    if store is None:
        raise Refused(
            "deliveries are kept in a database, and none is configured.",
            field="tidegate.yaml: database.url",
            next_step="Name one, or start `tidegate serve --all`, which brings its own.",
        )
    while True:
        try:
            return await stack.enter_async_context(store)
        except Unavailable as error:
            log.warning("not serving yet: %s", error)
            await asyncio.sleep(_AGAIN_AFTER_S)


async def _inbox(
    settings: Settings, deliveries: Deliveries, source: Source, forwarder: Forwarder, finder: Finder | None
) -> webhook.Inbox | None:
    secret = await context.secret(settings.service.github_secret, "service.github_secret")
    if secret is None:
        return None
    most, lost = settings.service.max_body_kb * 1024, finder.wake if finder else lambda: None
    return webhook.Inbox(secret.encode(), source, deliveries, most, forwarder.wake, lost)


def _routers(settings: Settings, inbox: webhook.Inbox | None) -> list[APIRouter]:
    found = [webhook.router(inbox)] if inbox is not None else []
    if settings.slack.signing_secret is not None:
        found.append(slack.router(_vote))
    if not found and not settings.people:
        raise Refused(
            "there is nothing to serve: no secret of GitHub or Slack is given, and nobody who could log in.",
            field="tidegate.yaml: service.github_secret",
            next_step="Name the secret that you gave GitHub for its webhook, or people who may use the board.",
        )
    return found


async def _vote(body: bytes, timestamp: str, signature: str) -> str:
    return voting.told(await voting.by_slack(body, timestamp, signature))


async def _tell(text: str) -> None:
    try:
        await (await context.slack()).post("incidents", text)
    except TidegateError as error:
        log.warning("Slack was not told: %s", error)


@contextlib.asynccontextmanager
async def beside(stop: Callable[[], None], *work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Works as long as the block lasts. Work that ends before, by a mistake of ours, calls `stop`, and its error is
    raised after the block: a service that takes deliveries and starts none must end, so that it is started anew."""
    tasks = [asyncio.create_task(one) for one in work]
    for task in tasks:
        task.add_done_callback(lambda _: stop())
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error


class _Server(uvicorn.Server):
    """Its end is asked for by `serve`, so that what is open around it is closed too."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """End in order."""
        self.should_exit = True


def prepared(service: Service, app: FastAPI) -> _Server:
    """The server, which does not listen yet."""
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=[str(one) for one in service.trusted_proxies],
            limit_concurrency=_AT_ONCE,
            timeout_graceful_shutdown=5,
        )
    )
    # What streams without an end must end by itself.
    app.state.ending = lambda: server.should_exit
    return server


async def _listen(service: Service, server: _Server) -> None:
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, server.stop)
    with bound(service) as listening:
        log.info("serving on http://%s:%s", service.host, service.port)
        await server.serve(sockets=[listening])


def bound(service: Service) -> socket.socket:
    """What it listens on. Raises Unavailable where that cannot be had."""
    try:
        listening = socket.create_server((service.host, service.port), backlog=512)
    except OSError as error:
        raise Unavailable(
            f"nothing can listen on {service.host}:{service.port}: {error.strerror}.",
            field="tidegate.yaml: service.port",
            next_step="See what listens there, or choose another port.",
        ) from None
    # Asyncio does it for sockets that it makes itself. Without, an answer's second part waits 40 ms for the caller to
    # acknowledge the first.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
