"""Runs that nobody works on any more, told at the Prefect server, which would show them as they were for ever."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from prefect.client.schemas.objects import State

from tasks import api


async def end(run: str | UUID, state: State[Any]) -> None:
    """Put the run into `state`, unless it has ended.

    Nothing depends on it: where the server does not know the run, or does not answer, nothing is said.
    """
    with suppress(Exception):
        async with api.client() as client:
            found = await client.read_flow_run(UUID(str(run)))
            if found.state is None or not found.state.is_final():
                await client.set_flow_run_state(found.id, state, force=True)
