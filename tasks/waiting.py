"""How a run waits for people and for the clock, and what its form in Prefect was answered.

A run of a deployment is suspended: its process ends, nothing is held, and it begins again from the top when somebody
resumes it. A run in place stays, paused, and asks again and again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext
from prefect.exceptions import Pause
from prefect.input import RunInput
from prefect.input.run_input import keyset_from_paused_state
from prefect.states import Paused, Running, Scheduled
from pydantic import Field

from release import gates
from release.errors import Refused
from release.runs import AWAITING, TIMER
from tasks import api

# A shorter rest of a timer is not worth a new process.
_SHORT_S = 15.0
_MOST_ANSWERS = 200
_MOMENT = timedelta(seconds=2)


class Approval(RunInput):
    """What a person fills in. No field has a default: an empty form must not pass."""

    approver: str = Field(title="Approver", description="Your name, as Tidegate's people are named.")
    code: str = Field(title="One-time code", description="What your device shows now; each code counts once.")
    decision: Literal["approve", "reject"] = Field(title="Decision")
    reason: str = Field(title="Reason", description="Kept with your name.")


@dataclass(frozen=True, slots=True)
class Answer:
    """A form that was sent: its fields, and when (seconds since the epoch)."""

    key: str
    fields: dict[str, str]
    at: float


def _run() -> FlowRun:
    found = FlowRunContext.get()
    if found is None or found.flow_run is None:
        raise RuntimeError("not in a flow run")
    return found.flow_run


def suspends() -> bool:
    """Whether this run may end its process while it waits: it belongs to a deployment, which starts it again."""
    return _run().deployment_id is not None and _run().parent_task_run_id is None


def scheduled() -> bool:
    """Whether its deployment's schedule made this run. Prefect's scheduler alone writes that; nobody can ask for it."""
    return bool(_run().auto_scheduled)


async def resumed() -> bool:
    """Whether this run was suspended before, so that it begins again from the top. Prefect's own count does not say:
    a run that was resumed by its form is not counted."""
    if not suspends():
        return False
    async with api.client() as client:
        states = await client.read_flow_run_states(_run().id)
    return any(state.name in (AWAITING, TIMER) for state in states)


def began() -> float:
    """When this run was asked for: when it was made, or when it was to start, in seconds since the epoch."""
    run = _run()
    times = [one.timestamp() for one in (run.created, run.expected_start_time) if one is not None]
    return max(times, default=time.time())


async def for_people(description: str, changed: Callable[[], Awaitable[bool]], poll: float, within: float) -> None:
    """Wait until the form was sent, or `changed` says that something else happened; `poll` and `within` in seconds.

    Raises Refused when the run was ended meanwhile. A run of a deployment is suspended: this does not return.
    """
    state: State[Any] = Paused(
        name=AWAITING, message=description, timeout_seconds=int(within + gates.KEPT),
        reschedule=suspends(), pause_key=uuid4().hex[:8],
    )  # fmt: skip
    keys = keyset_from_paused_state(state)
    state.state_details.run_input_keyset = dict[str, str](**keys)
    # The form is there before the state is that shows it.
    await Approval.with_initial_data(description=description).asave(keys)
    async with api.client() as client:
        await client.set_flow_run_state(_run().id, state, force=True)
        if suspends():
            if await changed():
                # A vote came before there was anything to wake; a moment later this process is gone.
                soon = datetime.now(UTC) + _MOMENT
                state = Scheduled(scheduled_time=soon, name="Resuming")
                await client.set_flow_run_state(_run().id, state, force=True)
            raise Pause(state=state)
        await _in_place(client, changed, poll, time.time() + within)


async def _in_place(client: PrefectClient, changed: Callable[[], Awaitable[bool]], poll: float, until: float) -> None:
    run = _run().id
    while time.time() < until:
        state = await _state(client)
        if state is not None and state.is_running():
            return
        if state is not None and not state.is_paused():
            raise Refused(f"the run was ended while it waited: {state.name}.", next_step="Ask again if it is wanted.")
        if await changed():
            break
        await asyncio.sleep(poll)
    await client.set_flow_run_state(run, Running(), force=True)


async def _state(client: PrefectClient) -> State[Any] | None:
    """This run's state; None where the server does not say."""
    try:
        return (await client.read_flow_run(_run().id)).state
    except httpx.HTTPError:
        return None


async def for_timer(until: float, changed: Callable[[], Awaitable[bool]], poll: float) -> None:
    """Wait until that time (seconds since the epoch), or until `changed`."""
    async with api.client() as client:
        if suspends() and until - time.time() > _SHORT_S:
            at = datetime.fromtimestamp(until, UTC)
            state: State[Any] = Scheduled(scheduled_time=at, name=TIMER)
            await client.set_flow_run_state(_run().id, state, force=True)
            raise Pause(state=state)
        await client.set_flow_run_state(_run().id, Running(name=TIMER), force=True)
        while (left := until - time.time()) > 0:
            if await changed():
                break
            await asyncio.sleep(min(poll, left))
        await client.set_flow_run_state(_run().id, Running(), force=True)


async def answers() -> list[Answer]:
    """The forms that were sent and not yet `forgotten`, oldest first."""
    prefix = f"{AWAITING.lower()}-"
    async with api.client() as client:
        found = await client.filter_flow_run_input(_run().id, prefix, _MOST_ANSWERS, set())
    sent = [one for one in found if one.key.endswith("-response")]
    # When it was sent, not when it is read: a suspended run takes longer to come back than a code lives.
    return sorted((_answer(one.key, one.value, one.created) for one in sent), key=lambda one: one.at)


async def forget(answer: Answer) -> None:
    """It was dealt with."""
    async with api.client() as client:
        await client.delete_flow_run_input(_run().id, answer.key)


def _answer(key: str, value: str, created: datetime | None) -> Answer:
    fields = json.loads(value)
    text = {name: str(fields.get(name, "")) for name in ("approver", "code", "decision", "reason")}
    return Answer(key, text, created.timestamp() if created else time.time())
