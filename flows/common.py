"""What staging and production both do before they change anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar, cast

from prefect.client.schemas.objects import State
from prefect.states import Failed

from config import load
from flows.far import Errand, send
from flows.lockstep import Together
from release import planning, values
from release.environment import Environment, Strategy
from release.errors import TidegateError
from release.model import Artifact, RegionState
from release.strategy import Want, settled
from tasks import context, deploy
from tasks.policy import RETRY

T = TypeVar("T")
# The regions of the wave that is under way, when they take their steps together.
lockstep: ContextVar[Together | None] = ContextVar("lockstep", default=None)


def wanted(environment: Environment, artifact: Artifact, strategy: Strategy) -> Want:
    """What every region of the environment is to run; the values' hash is the same for all of them."""
    return planning.want(environment, artifact, strategy, load.settings().application.name)


async def observed(environment: Environment, regions: Iterable[str], *, hurry: bool = False) -> list[RegionState]:
    """The regions as they are now, read side by side. With `hurry` one that does not answer is soon given up: users
    are on a bad version, or nothing was done yet and somebody waits to hear."""
    look = deploy.observe.with_options(**RETRY) if hurry else deploy.observe
    return list(await asyncio.gather(*(look(environment.regions[name]) for name in regions)))


async def check_regions(
    environment: Environment, states: Iterable[RegionState], artifact: Artifact, checkout: Path
) -> None:
    """Raises Refused or Unavailable before any effect. All regions are asked side by side, each where it is worked on;
    the first one is told. The version may still be to be built (`planning.unbuilt`).
    """

    async def one(state: RegionState) -> None:
        if environment.dispatch == "regional":
            config = wanted(environment, artifact, "rolling").config
            await send(Errand("check", environment, state.region, artifact, config=config))
        else:
            await check_here(environment, state, artifact, checkout)

    for answer in await asyncio.gather(*(one(state) for state in states), return_exceptions=True):
        if answer is not None:
            raise answer


async def check_here(environment: Environment, state: RegionState, artifact: Artifact, checkout: Path) -> None:
    """One region of `check_regions`, from this process."""
    settings, region = load.settings(), environment.regions[state.region]
    rendered = values.of_slot(environment, region, settings.application.name, state.live_slot)
    image = values.with_image(rendered, settings.application.image, artifact)
    await deploy.preflight(environment, region, state.live_slot, context.chart(checkout), image)


def all_settled(states: Iterable[RegionState], want: Want) -> bool:
    """Whether the version is live, recorded and running in every one of the regions."""
    return all(settled(state, want) for state in states)


async def apart(subflow: Awaitable[T]) -> T:
    """A region's subflow inside its own task, to be awaited through `result_of`. Its failure leaves the task as a
    state: were it raised here, Prefect 3.8.8 would book the failed subflow's tasks on the parent run."""
    try:
        return await subflow
    except TidegateError as error:
        return cast(T, Failed(message=str(error), data=error))


async def result_of(call: Awaitable[T]) -> T:
    """The result of a task that used `apart`; raises what its subflow raised."""
    found = await call
    if isinstance(found, State):
        return cast(T, await found.aresult())
    return found
