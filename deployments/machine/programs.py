"""Programs that are kept up: started again when they die, ended in order when they are no longer wanted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deployments.postgres import dies_with_parent
from release.errors import TidegateError

Before = Callable[[], Awaitable[None]]

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
# One that lived so long did not fail at its start.
_SOUND_AFTER_S = 60.0
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Program:
    """`argv` is run in `cwd` with the environment `env`, its output appended to `log`; `grace` is how many seconds it
    and what it started have to end."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    grace: float = 10.0


class Kept:
    """A program that is kept up from `start` to `stop`; `say` gets a line for a person when it died.

    `before` is done before each start, until it raises nothing; what a dead one left running has ended by then.
    """

    def __init__(self, program: Program, say: Callable[[str], None], before: Before | None = None) -> None:
        self.program, self._say, self._before = program, say, before
        self._task: asyncio.Task[None] | None = None
        self._processes: list[asyncio.subprocess.Process] = []

    @property
    def pid(self) -> int | None:
        """The newest process, None before the first."""
        return self._processes[-1].pid if self._processes else None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Returns when it and whatever it started is gone."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        pause = FIRST_PAUSE_S
        try:
            while True:
                await self._ready()
                began = time.monotonic()
                process = await _spawn(self.program)
                self._processes.append(process)
                code = await process.wait()
                pause = FIRST_PAUSE_S if time.monotonic() - began > _SOUND_AFTER_S else pause
                self._say(
                    f"{self.program.name} ended by itself with code {code} and is started again in {pause:g} s; "
                    f"its log is {self.program.log}"
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
        finally:
            await asyncio.shield(self._end())

    async def _ready(self) -> None:
        if self._before is None:
            return
        await self._end()
        said = ""
        while True:
            try:
                await self._before()
            except TidegateError as error:
                if str(error) != said:
                    said = str(error)
                    self._say(f"{self.program.name} waits: {said}")
                await asyncio.sleep(FIRST_PAUSE_S)
            else:
                return

    async def _end(self) -> None:
        """What a dead one left running (a worker's runs outlive it) ends too."""
        # A dead one's number may be another program's by now.
        groups = [one.pid for one in self._processes if one.returncode is None or not Path(f"/proc/{one.pid}").exists()]
        for group in groups:
            _signal(group, signal.SIGTERM)
        await until(lambda: not any(_signal(group, 0) for group in groups), self.program.grace)
        for group in groups:
            _signal(group, signal.SIGKILL)


async def until(holds: Callable[[], bool], within: float) -> bool:
    """Whether it came to hold within so many seconds."""
    for _ in range(max(1, round(within / _LOOK_EVERY_S))):
        if holds():
            return True
        await asyncio.sleep(_LOOK_EVERY_S)
    return holds()


async def once(program: Program, within: float) -> bool:
    """Run a program to its end; whether that was a good one, in time."""
    process = await _spawn(program)
    try:
        async with asyncio.timeout(within):
            return await process.wait() == 0
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            _signal(process.pid, signal.SIGKILL)
            await process.wait()


async def _spawn(program: Program) -> asyncio.subprocess.Process:
    program.log.parent.mkdir(parents=True, exist_ok=True)
    with program.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *program.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(program.env),
            cwd=program.cwd,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )


def _signal(group: int, number: int) -> bool:
    """Whether anything of the group was there to get it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False
