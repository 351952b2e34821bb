"""The supervisor as a program: one sandbox, until SIGTERM. Its output is the progress that `up` shows."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from release.errors import TidegateError
from sandbox import state
from sandbox.options import Options
from sandbox.prefectserver import of_home

_ATTEMPTS = 5


async def serve(home: Path, cache: Path, options: Options) -> int:
    """Runs the sandbox; the exit code: 0 asked to end, else the error's."""
    asked = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, asked.set)
    started = time.monotonic()
    prefect = of_home(home, cache) if options.prefect else None
    if prefect is not None:
        await prefect.begin()
    # A second of imports, during which the slowest part has begun.
    from sandbox.summary import record
    from sandbox.supervisor import Sandbox

    sandbox = Sandbox(home, cache, options, say=lambda line: _say(started, line), prefect=prefect)
    try:
        if await _unless(asked, sandbox.start()):
            record(sandbox, "ready", ready_after=time.monotonic() - started)
            _say(started, f"ready: {sandbox.control_url}")
            await _unless(asked, sandbox.watch())
        record(sandbox, "stopping")
    except Exception as error:
        record(sandbox, "failed", error=str(error) or repr(error))
        if not isinstance(error, TidegateError):
            raise
        _say(started, f"failed: {error}")
        return error.exit_code
    finally:
        await sandbox.stop()
        _say(started, "down")
    state.forget(home)
    return 0


async def _unless(asked: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do the work unless asked to end meanwhile; whether it was done. Raises what the work raises."""
    working, ending = asyncio.create_task(work), asyncio.create_task(asked.wait())
    await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if working.done():
        await working
        return True
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return False


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
