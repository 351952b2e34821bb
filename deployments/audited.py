"""What a person did at the command line, written into the audit once it is done."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from config import load
from release.errors import TidegateError
from release.people import Requester
from tasks import context


async def asked(by: Requester, what: str, run: str) -> str:
    """Write down that a run was asked for, as `write`; without a database nobody expects that."""
    return "" if load.settings().database is None else await write(by, what, run, {})


async def write(by: Requester, what: str, run: str, detail: Mapping[str, Any]) -> str:
    """Write it down, and whether it is proven who did it; empty, or why that could not be, as a sentence.

    What was done stands: a database that is away keeps nobody from it in an emergency.
    """
    try:
        store = await context.store()
        if store is None:
            return f"{what} is not in the audit: no database is configured (`database.url`)."
        # Only here: the database's driver takes a while to import.
        from clients.audit import record

        async with store, store.begin() as connection:
            await record(connection, by.name, "cli", what, run, time.time(), {**detail, "proven": by.proven})
    except TidegateError as error:
        return f"{what} is not in the audit: {error.what}"
    return ""
