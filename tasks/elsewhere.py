"""Runs that a release has in other workers: begun, looked after, and ended with it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx
from prefect import task
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Cancelled

from release.errors import Refused, Unavailable
from tasks import api
from tasks.ending import end
from tasks.policy import PATIENT

DEPLOYMENT = "regional/regional"


class Gone(Exception):
    """The run ended without a word; how, is what it says."""


@task(task_run_name="begin {name}", **PATIENT)
async def begin(name: str, queue: str, parameters: Mapping[str, Any], key: str) -> UUID:
    """The run of that `key` of the region's deployment, for the workers of `queue`, made once. Raises Refused where
    nobody registered the deployment, Unavailable where the Prefect server does not answer.
    """
    asked: dict[str, Any] = {"parameters": dict(parameters), "work_queue_name": queue, "idempotency_key": key}
    try:
        return (await arun_deployment(DEPLOYMENT, flow_run_name=name, timeout=0, **asked)).id
    except ObjectNotFound:
        raise Refused(
            f"the Prefect server has no deployment {DEPLOYMENT}.",
            field="dispatch",
            next_step="Register it: `prefect --no-prompt deploy --all --prefect-file deployments/many/regional.yaml`.",
        ) from None
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        raise Unavailable(f"the Prefect server does not answer ({error}).", field="prefect.api") from error


async def lives(run: UUID) -> bool:
    """Whether it has begun. Raises Gone where it has ended; a server that is away for a moment says nothing of it."""
    state = None
    with suppress(Exception):
        async with api.client() as client:
            state = (await client.read_flow_run(run)).state
    if state is not None and state.is_final():
        raise Gone(f"{state.name}. {state.message or ''}".strip())
    return state is not None and not state.is_scheduled()


async def cancel(run: UUID) -> None:
    """What nobody follows any more must not begin later."""
    await end(run, Cancelled(message="The release no longer follows it."))
