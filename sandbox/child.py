"""A child process of the sandbox: in a group of its own, logged to a file, and gone when the sandbox is."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from release.errors import Refused, Unavailable

_PR_SET_PDEATHSIG = 1
# Resolved here: between fork and exec nothing may be imported or looked up.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class Child:
    """One process and its descendants.

    `argv[0]` is a path or a name on PATH; `env` replaces the environment when given. Output is appended to
    `log`. Start it from the thread that lives as long as the sandbox: Linux ends the child when the thread
    that started it ends.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.argv = tuple(str(part) for part in argv)
        self.log = log
        self._env = env
        self._cwd = cwd
        self._stop_signal = stop_signal
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id, also of an ended child; None before the start."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def code(self) -> int | None:
        """The exit code (negative: the signal), None while it runs or before it was started."""
        return self._process.returncode if self._process else None

    async def start(self) -> None:
        """Start it; raises Refused where there is no such executable."""
        if self.alive:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self.argv,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=None if self._env is None else dict(self._env),
                    cwd=self._cwd,
                    start_new_session=True,
                    preexec_fn=_die_with(os.getpid()),
                )
            except (FileNotFoundError, PermissionError) as error:
                raise Refused(
                    f"{self.name} cannot be started: {self.argv[0]} is not an executable.",
                    next_step="check the path, or that it is installed",
                ) from error

    async def wait(self) -> int:
        """Wait for its end; gives the exit code."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return await self._process.wait()

    async def stop(self, grace: float = 10.0) -> None:
        """Ask the group to end, after `grace` seconds end it; returns when the child is gone."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            self._signal(self._stop_signal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), grace)
        self._signal(signal.SIGKILL)
        await process.wait()

    def tail(self, lines: int = 8) -> str:
        """The last lines of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def check(self) -> None:
        """Raises Unavailable, with the end of its log, when it is not running."""
        if not self.alive:
            raise Unavailable(
                f"{self.name} ended with code {self.code}.",
                next_step=f"read {self.log}, which ends with:\n{self.tail()}",
            )

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def _die_with(parent: int) -> Callable[[], None] | None:
    """For the child between fork and exec: be killed when the parent ends, however it ends."""
    if _prctl is None:
        return None
    prctl, kill = _prctl, int(signal.SIGKILL)

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, kill, 0, 0, 0)
        # The parent may have ended before the line above took hold.
        if os.getppid() != parent:
            os._exit(1)

    return tie
