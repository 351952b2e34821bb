"""What is tried again: outside systems that did not answer. A bad release never is."""

from __future__ import annotations

import inspect
from typing import Any, TypedDict

from prefect.client.schemas.objects import State, TaskRun
from prefect.states import get_state_exception

from release.errors import Unavailable


async def only_unavailable(task: Any, run: TaskRun, state: State[Any]) -> bool:
    """Prefect's retry condition: the failure is an outside system that did not answer."""
    del task, run
    found = get_state_exception(state)
    return isinstance(await found if inspect.isawaitable(found) else found, Unavailable)


class Retry(TypedDict):
    """Keyword arguments of `@task`."""

    retries: int
    retry_delay_seconds: list[float]
    retry_condition_fn: Any


RETRY: Retry = {"retries": 3, "retry_delay_seconds": [0.5, 1.0, 2.0], "retry_condition_fn": only_unavailable}
# Where a region is being changed: its users are served without its API server, and giving up takes a release back.
PATIENT: Retry = {
    "retries": 8,
    "retry_delay_seconds": [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0],
    "retry_condition_fn": only_unavailable,
}
