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


# Where somebody waits: users on a bad version, or a person before anything was done.
RETRY: Retry = {"retries": 3, "retry_delay_seconds": [0.5, 1.0, 2.0], "retry_condition_fn": only_unavailable}
# Where nothing is in danger meanwhile: users are served without an API server, and giving up takes a good release back,
# or leaves unsaid what is live. About forty seconds.
PATIENT: Retry = {
    "retries": 8,
    "retry_delay_seconds": [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0],
    "retry_condition_fn": only_unavailable,
}
