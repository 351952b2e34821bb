"""The supervisor as a program: one sandbox, until SIGTERM. Its output is the progress that `up` shows."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from pathlib import Path

from release.errors import TidegateError
from sandbox import overlay, state
from sandbox.options import Options
from sandbox.supervisor import Sandbox

_ATTEMPTS = 5


async def serve(home: Path, cache: Path, options: Options) -> int:
    """Runs the sandbox; the exit code: 0 asked to end, else the error's."""
    asked = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, asked.set)
    started = time.monotonic()
    sandbox = Sandbox(home, cache, options, say=lambda line: _say(started, line))
    try:
        return await _run(sandbox, asked, started)
    except TidegateError as error:
        _say(started, f"failed: {error}")
        sandbox.record("failed", error=str(error))
        return error.exit_code
    finally:
        overlay.remove(home)
        await sandbox.stop()
        _say(started, "down")


async def _run(sandbox: Sandbox, asked: asyncio.Event, started: float) -> int:
    starting = asyncio.create_task(sandbox.start())
    stopping = asyncio.create_task(asked.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return 130
    await starting
    sandbox.record("ready", ready_after=time.monotonic() - started)
    _say(started, f"ready: {sandbox.control_url}")
    watching = asyncio.create_task(sandbox.watch())
    await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if watching.done():
        await watching
    watching.cancel()
    sandbox.record("stopping")
    return 0


def _say(started: float, line: str) -> None:
    print(f"{time.monotonic() - started:6.1f} s  {line}", flush=True)


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.daemon", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--options", type=Options.load, required=True)
    given = parser.parse_args()
    lock = None
    for _ in range(_ATTEMPTS):  # somebody may be asking for the holder just now
        lock = lock if lock is not None else state.acquire(given.home)
        if lock is None:
            time.sleep(0.05)
    if lock is None:
        print("another sandbox runs in this folder", flush=True)
        return 2
    return asyncio.run(serve(given.home, given.cache, given.options))


if __name__ == "__main__":
    sys.exit(main())
