"""Users leave a bad version first of all, in all regions at once; what else is to be done about it can wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from prefect.logging import get_run_logger

from release import migrations
from release.appfile import AppFile
from release.environment import Environment
from release.errors import TidegateError
from release.recovery import bad_share
from release.strategy import Want
from tasks import back
from tasks.lock import Grip


async def users_back(environment: Environment, regions: Sequence[str], bad: Want, app: AppFile) -> dict[str, int]:
    """One write a region, wherever that takes its users to the good version beside the bad one.

    Region -> the percent of its users who were on the bad one. A region where it fails is left out, for the recovery,
    which looks again. `app` is the bad version's own file.
    """
    decide = partial(migrations.users_back, bad=bad, app=app)
    writes = (back.users_back(environment.regions[name], decide) for name in regions)
    shares = {}
    for name, seen in zip(regions, await asyncio.gather(*writes, return_exceptions=True), strict=True):
        if isinstance(seen, BaseException):
            if not isinstance(seen, TidegateError):
                raise seen
        else:
            shares[name] = bad_share(seen, bad)
    return shares


@asynccontextmanager
async def users_first(
    grip: Grip, regions: Callable[[], Sequence[str]], bad: Want, app: AppFile
) -> AsyncIterator[dict[str, int]]:
    """While a release goes on: as soon as one region fails, users leave in all; telling and tidying come later.
    `regions` says then which these are.

    Gives what `users_back` gives, empty until then.
    """
    left: dict[str, int] = {}

    async def leave() -> None:
        await grip.sign.event.wait()
        if not grip.sign.lost_lock:
            try:
                left.update(await users_back(grip.environment, regions(), bad, app))
            except Exception:  # a mistake of ours here must not keep the recovery from its work
                get_run_logger().exception("users did not leave at once")

    leaving = asyncio.create_task(leave())
    try:
        yield left
        if grip.sign.event.is_set():
            await leaving
    finally:
        leaving.cancel()
        with suppress(asyncio.CancelledError):
            await leaving
