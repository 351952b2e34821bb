"""What the drift check asks: who is at work in an environment, and what was told the last time."""

from __future__ import annotations

from prefect import task
from prefect.artifacts import Artifact, acreate_markdown_artifact

from release.environment import Environment
from tasks import context
from tasks.policy import PATIENT


@task(task_run_name="who is at work in {environment.name}", **PATIENT)
async def at_work(environment: Environment) -> str:
    """What holds the environment's lock and renews it; empty while nothing does."""
    async with context.lock(next(iter(environment.regions.values()))) as lock:
        state = await lock.read()
    held = state.held
    return held.holder.what if held is not None and state.now < held.lapses else ""


@task(task_run_name="what was told of {environment}")
async def told_before(environment: str) -> str:
    """The text of the last check; empty before the first."""
    last = await Artifact.aget(_key(environment))
    return str(last.data) if last is not None and last.data else ""


@task(task_run_name="remember what was told of {environment}")
async def remember(environment: str, text: str) -> None:
    await acreate_markdown_artifact(key=_key(environment), markdown=text, description=f"drift in {environment}")


def _key(environment: str) -> str:
    return f"drift-{environment}"
