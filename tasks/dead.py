"""Runs whose process is gone without a word: Prefect would show them as running for ever."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from prefect import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Crashed


async def bury(run: str, successor: str) -> None:
    """Say of a run whose lock lapsed, and was taken over by the run `successor`, that it crashed, unless it ended.

    Nothing depends on it: where the server does not know the run, or does not answer, nothing is said.
    """
    with suppress(PrefectHTTPStatusError, OSError, ValueError):
        async with get_client() as client:
            found = await client.read_flow_run(UUID(run))
            if found.state is not None and not found.state.is_final():
                message = f"Its process ended without a word; run {successor[:8]} took over its lock."
                await client.set_flow_run_state(found.id, Crashed(message=message), force=True)
