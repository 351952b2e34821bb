"""The local Prefect server over a PostgreSQL of its own, as one foreground program.

    python -m deployments.server --folder .tidegate/prefect --port 4200

Prints one line when it is ready and ends both on SIGTERM, on Ctrl-C, and when its parent ends. Runs stay in
the folder, so a restart keeps them. This one is for one machine. The file FOLDER/database holds the address of
Tidegate's own database in the same PostgreSQL, as `database.url: {file: ...}` reads it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from deployments import template
from deployments.postgres import Postgres, dies_with_parent
from release.errors import TidegateError, Unavailable

HEALTHY_WITHIN_S = 90.0
# Tidegate's own database beside Prefect's, and the file that says where.
DATABASE = "tidegate"
ADDRESS_FILE = "database"


def environment(folder: Path, port: int, database: str) -> dict[str, str]:
    """The Prefect server's environment: none of the caller's own Prefect settings, nothing sent out."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    address = f"http://127.0.0.1:{port}/api"
    return kept | {
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_API_URL": address,
        "PREFECT_UI_API_URL": address,
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
        "PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE": "15",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "false",
        # By default each of a task's three states is a transaction of its own, a third of the server's work.
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "25",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }


class PrefectServer:
    """`prefect server start` over an embedded PostgreSQL. `folder` keeps the data, `logs` the log files.

    `cache` keeps an empty, migrated database for further fresh starts.
    """

    def __init__(self, folder: Path, port: int, logs: Path | None = None, cache: Path | None = None) -> None:
        self.folder = folder
        self.port = port
        self.cache = cache
        self.logs = logs or folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.postgres = Postgres(folder / "postgres", self.logs / "postgres.log")
        self.log = self.logs / "prefect.log"
        self.process: asyncio.subprocess.Process | None = None

    @property
    def api(self) -> str:
        """The API's address, as PREFECT_API_URL wants it."""
        return f"http://127.0.0.1:{self.port}/api"

    async def start(self) -> None:
        """Healthy when it returns. Raises Unavailable naming the log when either program does not come up.

        Both start side by side: the server spends seconds on its imports before it needs the database.
        """
        fresh, home = self.postgres.fresh, self.folder / "home"
        found = template.find(self.cache, home) if fresh and self.cache else None
        await asyncio.gather(self._start_database(found), self._launch())
        await self._until_healthy()
        if fresh and found is None and self.cache is not None:
            backup = await self.postgres.backup("template")
            if backup is not None:
                await asyncio.to_thread(template.keep, backup, home, self.cache)

    async def _start_database(self, template: Path | None) -> None:
        await self.postgres.start(template)
        address = self.folder / ADDRESS_FILE
        address.touch(mode=0o600)
        address.write_text(await self.postgres.database(DATABASE) + "\n")

    async def _until_healthy(self) -> None:
        deadline = time.monotonic() + HEALTHY_WITHIN_S
        attempts = 2  # a server that asked before its database was ready has ended: once more
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            while not await self._healthy(client):
                if self.process is None or self.process.returncode is not None:
                    attempts -= 1
                    if attempts:
                        await self._launch()
                if not attempts or time.monotonic() > deadline:
                    raise Unavailable("The Prefect server did not start.", next_step=f"Read {self.log}.")
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Ends the server, then its database."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), 8)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        await self.postgres.stop()

    async def wait(self) -> None:
        """Returns when either program has ended by itself."""
        assert self.process is not None
        assert self.postgres.process is not None
        ends = [asyncio.create_task(program.wait()) for program in (self.process, self.postgres.process)]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def _healthy(self, client: httpx.AsyncClient) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return (await client.get(f"{self.api}/health")).status_code == 200
        return False

    async def _launch(self) -> None:
        options = ("--host", "127.0.0.1", "--port", str(self.port), "--analytics-off")
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "prefect", "server", "start", *options),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(self.folder, self.port, self.postgres.url),
                cwd=self.folder,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGKILL),
            )


async def serve(server: PrefectServer) -> int:
    """Runs the server until it is asked to end; the exit code."""
    asked = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, asked.set)
    started = time.monotonic()
    waits: set[asyncio.Task[Any]] = {asyncio.create_task(asked.wait())}
    try:
        start = asyncio.create_task(server.start())
        await asyncio.wait({start, *waits}, return_when=asyncio.FIRST_COMPLETED)
        if not start.done():
            start.cancel()
            return 130
        await start
        print(f"ready {server.api} after {time.monotonic() - started:.1f} s", flush=True)
        waits.add(asyncio.create_task(server.wait()))
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return 0 if asked.is_set() else 5
    finally:
        for wait in waits:
            wait.cancel()
        await server.stop()


def main() -> int:
    """The program. Exit codes: 0 asked to end, 5 a program ended by itself or did not start."""
    parser = argparse.ArgumentParser(prog="python -m deployments.server", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the data is kept")
    parser.add_argument("--port", type=int, required=True, help="the port on 127.0.0.1")
    parser.add_argument("--logs", type=Path, help="where the logs go (default: FOLDER/logs)")
    parser.add_argument("--cache", type=Path, help="keeps an empty database for further fresh starts")
    given = parser.parse_args()
    parent = os.getppid()
    prctl = dies_with_parent(signal.SIGTERM)
    if prctl is not None:
        prctl()
    if os.getppid() != parent:
        return 130
    try:
        return asyncio.run(serve(PrefectServer(given.folder.resolve(), given.port, given.logs, given.cache)))
    except TidegateError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
