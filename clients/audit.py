"""The audit: one line for whatever a person changed, in the transaction that changes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from clients.tables import audit


async def record(
    connection: AsyncConnection,
    who: str,
    via: str,
    what: str,
    run: str,
    at: float,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Who did what, by which way (cli, prefect, slack, github), to which run (or empty); no secret in `detail`."""
    row = {"at": at, "who": who, "via": via, "what": what, "run": run, "detail": dict(detail or {})}
    await connection.execute(audit.insert().values(row))
