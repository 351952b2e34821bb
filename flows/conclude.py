"""How every run ends: an outcome, told in a state whose name says it, with an artifact, whatever happened."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from prefect.artifacts import Artifact, acreate_markdown_artifact, acreate_table_artifact
from prefect.client.schemas.objects import State
from prefect.exceptions import Pause
from prefect.states import Completed
from prefect.states import Failed as FailedState

from release import tables
from release.errors import TidegateError
from release.outcome import Outcome, Word, of_crash, of_error
from tasks import board, context, github_deployments, github_later, pages, runs, tags, telemetry, threads
from tasks.lock import seconds_since_won
from tasks.say import say


class Draft:
    """What is known of a run so far, so that a run that breaks off can still tell it.

    `begun` is set before an environment is changed. `condemned` says that the version is to blame for being taken
    back.
    """

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.begun = False
        self.condemned = False
        self._began = time.monotonic()
        self._exposed: dict[str, float] = {}

    def learn(self, **facts: Any) -> None:
        """Fields of Outcome that became known."""
        self.outcome = replace(self.outcome, seconds=time.monotonic() - self._began, **facts)

    def exposed(self, region: str) -> None:
        """From now on users of the region may meet the version."""
        self._exposed[region] = time.monotonic()

    def exposure(self, region: str) -> float:
        """Seconds since then; since the run began, where another run did it."""
        return time.monotonic() - self._exposed.get(region, self._began)


Body = Callable[[Draft], Awaitable[Word]]
Telling = Callable[[Outcome], Awaitable[None]]


async def conclude(start: Outcome, body: Body, telling: Telling) -> State[Outcome]:
    """Run `body`, tell who must know, and turn what happened into a state.

    A run that did not do what was asked is a failed run, named for what happened: `Refused`, `Recovered`, `Halted`.
    What nobody foresaw, and what ends the process, is told too, and then raised again.
    """
    draft, told = Draft(replace(start, run=context.run_id())), threads.begin()
    board.forget()
    github_deployments.begin()
    try:
        context.require_few_starts()
        word = await body(draft)
        draft.learn(word=word)
    except TidegateError as error:
        word, reason, next_step = of_error(error)
        draft.learn(word=word, reason=reason, next_step=next_step)
    except Pause:
        # It waits at its gates without a process, and begins again when it may go on.
        raise
    except BaseException as error:
        word, reason, next_step = of_crash(error, begun=draft.begun)
        draft.learn(word=word, reason=reason, next_step=next_step, locked=seconds_since_won())
        with suppress(Exception):
            await telling(draft.outcome)
        # One that was ended from outside and had changed nothing is told by its state.
        if draft.begun or isinstance(error, Exception):
            with suppress(Exception):
                await _keep(draft.outcome)
        await github_deployments.leave()
        raise
    draft.learn(locked=seconds_since_won())
    outcome = draft.outcome
    await telling(outcome)
    await told.settle()
    await _keep(outcome)
    await github_later.tell()
    await github_deployments.tell_again()
    await asyncio.to_thread(runs.prune, outcome.run)
    name = outcome.word.capitalize()
    if outcome.good:
        return Completed(name=name, message=outcome.reason or None, data=outcome)
    return FailedState(name=name, message=f"{outcome.reason} {outcome.next_step}".strip(), data=outcome)


async def _keep(outcome: Outcome) -> None:
    say(f"{outcome.pipeline}: {outcome.word}", warn=not outcome.good)
    telemetry.ended(outcome)
    await tags.put(outcome)
    await acreate_markdown_artifact(
        key=f"report-{outcome.pipeline}", markdown=tables.report(outcome, pages.of(outcome)), description=outcome.word
    )
    # For programs: the operator service reads its table of finished releases from these.
    await Artifact(type="json", key="outcome", description=outcome.word, data=outcome.as_dict()).acreate()
    table = board.current()
    if table is not None:
        table.ended(outcome.regions)
        if await table.settle():
            return
    if outcome.regions:
        await acreate_table_artifact(
            key=f"regions-{outcome.pipeline}", table=tables.region_table(outcome.regions), description="Regions"
        )
