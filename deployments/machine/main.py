"""`tidegate serve --all` and `--worker`: brings the parts up in order, keeps them up, and ends them in order."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import yaml

from clients.prefect_api import PrefectApi
from config import load
from deployments import prefectapi
from deployments.machine import recovery
from deployments.machine.parts import POOL, Machine, worker_name
from deployments.machine.programs import Before, Kept, Program, once
from release.errors import Refused, TidegateError, Unavailable

_READY_WITHIN_S, _REGISTERED_WITHIN_S = 180.0, 300.0
_LOOK_EVERY_S = 0.2

Say = Callable[[str], None]


async def keep_up(*, server: bool, say: Say) -> None:
    """Everything up until SIGTERM or Ctrl-C: a worker, the deployments and the service; with `server` the Prefect
    server and its database too. Raises Refused where that cannot be, Unavailable where a part does not come up."""
    folder = load.home() / "serve"
    with _alone(folder):
        asked = asyncio.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sign, asked.set)
        working = asyncio.create_task(_up(folder, server, say))
        ending = asyncio.create_task(asked.wait())
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        ending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        say("down")


async def _up(folder: Path, server: bool, say: Say) -> None:
    began = time.monotonic()
    if server:
        # What one that was killed left there is no configuration: this one would take it for the user's own.
        _stop_serving()
    machine = Machine(folder, prefectapi.place()[0])
    async with contextlib.AsyncExitStack() as stack:
        api = await stack.enter_async_context(prefectapi.orders())
        await _prefect(machine, api, server, stack, say)
        say(f"the Prefect server answers at {machine.api}")
        stack.push_async_callback(_forget, api)
        # A server of one's own has no runs of other machines' workers.
        await _kept(machine.worker(), stack, say, partial(_settled, api, say) if server else None)
        await _until(lambda: _worker_lives(api), "no worker came up", machine.worker())
        say("a worker is there")
        await _registered(machine, say)
        if server:
            await api.automate(recovery.automation())
        await _kept(machine.service(), stack, say)
        await _until(_service_answers, "the service does not answer", machine.service())
        say(f"ready after {time.monotonic() - began:.1f} s: Prefect at {machine.api.removesuffix('/api')}")
        await asyncio.Event().wait()


async def _prefect(machine: Machine, api: PrefectApi, server: bool, stack: contextlib.AsyncExitStack, say: Say) -> None:
    """The server of one's own, or the one that is there."""
    if not server:
        await _until(api.healthy, f"the Prefect server at {machine.api} does not answer", None)
        return
    if await api.healthy():
        raise Refused(
            f"a Prefect server answers at {machine.api} already.",
            field="tidegate.yaml: prefect.api",
            next_step="Use that one with `tidegate serve --worker`, or choose another port.",
        )
    stack.callback(_stop_serving)
    program = machine.server()
    await _kept(program, stack, say)
    await _until(api.healthy, "the Prefect server did not start", program)
    _say_where(machine)


async def _settled(api: PrefectApi, say: Say) -> None:
    for line in await recovery.settle(api):
        say(line)


def _say_where(machine: Machine) -> None:
    """Other commands of this checkout find what this one brought up, where their settings name nothing else."""
    settings = load.settings()
    found: dict[str, object] = {} if settings.prefect.api else {"prefect": {"api": machine.api}}
    if settings.database is None:
        found["database"] = {"url": {"file": str(machine.folder / "prefect" / "database")}}
    new = load.served().with_suffix(".new")
    new.write_text("# Written by `tidegate serve --all`, taken away when it ends.\n" + yaml.safe_dump(found))
    new.replace(load.served())


def _stop_serving() -> None:
    load.served().unlink(missing_ok=True)


async def _registered(machine: Machine, say: Say) -> None:
    program = machine.register()
    if not await once(program, _REGISTERED_WITHIN_S):
        raise Unavailable("the deployments were not registered.", next_step=f"Read {program.log}.")
    say("the deployments of prefect.yaml are registered")


async def _kept(program: Program, stack: contextlib.AsyncExitStack, say: Say, before: Before | None = None) -> None:
    kept = Kept(program, say, before)
    stack.push_async_callback(kept.stop)
    kept.start()


async def _worker_lives(api: PrefectApi) -> bool:
    """With its work pool, which it makes where there is none."""
    return await api.workers(POOL, datetime.now(UTC)) > 0


async def _forget(api: PrefectApi) -> None:
    """Nobody is to wait for this worker, where the server is still there to be told."""
    with contextlib.suppress(TidegateError):
        await api.forget_worker(POOL, worker_name())


async def _service_answers() -> bool:
    service = load.settings().service
    with contextlib.suppress(httpx.HTTPError):
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
            return (await http.get(f"http://{service.host}:{service.port}/readyz")).is_success
    return False


async def _until(holds: Callable[[], Awaitable[bool]], otherwise: str, program: Program | None) -> None:
    """Raises Unavailable with what is `otherwise`, naming the program's log."""
    deadline = time.monotonic() + _READY_WITHIN_S
    while not await holds():
        if time.monotonic() > deadline:
            raise Unavailable(f"{otherwise}.", next_step=f"Read {program.log}." if program else "See whether it runs.")
        await asyncio.sleep(_LOOK_EVERY_S)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One of a checkout's state at a time. Raises Refused where another one runs."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(
                f"another `tidegate serve` runs over {folder}.", next_step="End that one, or set TIDEGATE_HOME."
            ) from None
        yield
