"""Run an executable: no shell, a process group of its own, and nothing of it left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clients import tracing
from clients.user import account
from release.errors import Refused, Unavailable

# A command that ended may have left a child that holds its output open: wait this long for it, in seconds.
_LINGER = 1.0
_CHUNK = 65536

OnLine = Callable[[str], None]


@dataclass(frozen=True)
class Completed:
    """A command that ended. `code` is negative for a signal, the output is decoded, `seconds` is wall."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    seconds: float


async def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float,
    grace: float = 5.0,
    on_line: OnLine | None = None,
    user: str | None = None,
) -> Completed:
    """Run `argv` to its end and return what it wrote; a non-zero code is returned, not raised.

    `env` replaces the environment when given (PATH included). `on_line` gets each line of both outputs as it
    comes. On time-out (`timeout`, seconds) or cancellation the whole group gets SIGTERM, and SIGKILL after
    `grace` seconds. `user` is as whom it runs, in his own group alone, which takes root. Raises Unavailable on
    time-out, Refused when the executable or `cwd` is not there, and as `clients.user.account`.
    """
    with tracing.call(*_called(argv)):
        return await _run(argv, cwd, env, stdin, timeout, grace, on_line, user)


async def _run(
    argv: Sequence[str],
    cwd: Path | None,
    env: Mapping[str, str] | None,
    stdin: bytes | None,
    timeout: float,
    grace: float,
    on_line: OnLine | None,
    user: str | None,
) -> Completed:
    started = time.monotonic()
    process = await _start(argv, cwd, env, stdin is not None, user)
    reading = asyncio.create_task(_communicate(process, stdin, on_line))
    try:
        async with asyncio.timeout(timeout):
            stdout, stderr = await _ended(process, reading)
    except TimeoutError as error:
        raise Unavailable(
            f"{_name(argv)} did not end within {timeout:g} s and was stopped.",
            next_step="Look at what it waits for, or allow it more time.",
        ) from error
    finally:
        await _stop(process, reading, grace)
    code = process.returncode
    assert code is not None
    return Completed(tuple(argv), code, stdout, stderr, time.monotonic() - started)


def _called(argv: Sequence[str]) -> tuple[str, str]:
    name, _, verb = _name(argv).partition(" ")
    return name, verb or "run"


def _name(argv: Sequence[str]) -> str:
    """The command for a message: further arguments may be long, and are nobody's business."""
    words = [Path(argv[0]).name, *(word for word in argv[1:2] if not word.startswith("-"))]
    return " ".join(words)


async def _start(
    argv: Sequence[str], cwd: Path | None, env: Mapping[str, str] | None, feed: bool, user: str | None
) -> asyncio.subprocess.Process:
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    other = account(user) if user is not None else None
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=pipe if feed else nothing,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
            user=other.pw_uid if other else None,
            group=other.pw_gid if other else None,
            extra_groups=[] if other else None,
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        if cwd is not None and not await asyncio.to_thread(cwd.is_dir):
            raise Refused(f"The folder {cwd} to run {_name(argv)} in is not there.", field="cwd") from error
        raise Refused(
            f"The executable {argv[0]!r} cannot be run: {error.strerror}.",
            field="executable",
            next_step=f"Install {Path(argv[0]).name}, or name its path in the settings.",
        ) from error


async def _communicate(
    process: asyncio.subprocess.Process, stdin: bytes | None, on_line: OnLine | None
) -> tuple[str, str]:
    assert process.stdout is not None
    assert process.stderr is not None
    stdout, stderr, _ = await asyncio.gather(
        _read(process.stdout, on_line), _read(process.stderr, on_line), _feed(process.stdin, stdin)
    )
    return stdout, stderr


async def _read(stream: asyncio.StreamReader, on_line: OnLine | None) -> str:
    whole, rest = bytearray(), b""
    while chunk := await stream.read(_CHUNK):
        whole += chunk
        if on_line is not None:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                on_line(line.decode(errors="replace").rstrip("\r"))
    if on_line is not None and rest:
        on_line(rest.decode(errors="replace"))
    return whole.decode(errors="replace")


async def _feed(stream: asyncio.StreamWriter | None, data: bytes | None) -> None:
    if stream is None:
        return
    try:
        stream.write(data or b"")
        await stream.drain()
        stream.close()
        await stream.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        pass  # it ended, or closed its input, without reading all of it: its exit code tells


async def _ended(process: asyncio.subprocess.Process, reading: asyncio.Task[tuple[str, str]]) -> tuple[str, str]:
    leader = asyncio.create_task(_leader_ended(process))
    try:
        await asyncio.wait({reading, leader}, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            await asyncio.wait({reading}, timeout=_LINGER)
            _signal(process, signal.SIGKILL)
        output = await reading
        await leader
        return output
    finally:
        leader.cancel()


async def _leader_ended(process: asyncio.subprocess.Process) -> None:
    # Process.wait() also waits for the pipes, which a child of the command may hold open for ever.
    while process.returncode is None:  # noqa: ASYNC110 - asyncio offers no event for it
        await asyncio.sleep(0.01)


async def _stop(process: asyncio.subprocess.Process, reading: asyncio.Task[tuple[str, str]], grace: float) -> None:
    """End what is left of the group, also when this is cancelled in its turn."""
    leader = asyncio.create_task(_leader_ended(process))
    try:
        if process.returncode is None:
            _signal(process, signal.SIGTERM)
            await asyncio.wait({reading, leader}, timeout=grace)
    finally:
        _signal(process, signal.SIGKILL)
        reading.cancel()
        leader.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await _leader_ended(process)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        process.send_signal(number)
