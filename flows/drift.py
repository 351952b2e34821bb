"""The drift check: what is live against what the last release recorded. It changes nothing."""

from __future__ import annotations

import asyncio
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from config import load
from flows.conclude import Draft, conclude
from flows.forms import EnvironmentWord
from release import drift as rules
from release.environment import Environment
from release.errors import TidegateError
from release.outcome import Outcome, RegionResult, Word, of_error
from tasks import deploy, notify
from tasks import drift as tasks
from tasks.say import say


@flow(name="drift", flow_run_name="{environment} by {actor}")
async def drift(environment: EnvironmentWord = "production", actor: str = "unknown") -> State[Outcome]:
    """Compare what is live, its digest, weights and values with what the last release recorded. Nothing is mended.

    Args:
        environment: development, staging or production.
        actor: Who asked for it.
    """
    del actor  # the run's name has it
    return await conclude(Outcome("drift", "refused", version=environment), partial(_compare, environment), _tell)


async def _compare(name: str, draft: Draft) -> Word:
    environment = load.environment(name)
    if busy := await tasks.at_work(environment):
        say(f"{busy} is under way: nothing is compared")
        return "unchanged"
    results = await asyncio.gather(*(_in_region(environment, region) for region in environment.regions))
    drifts = [drift for _, found in results for drift in found]
    draft.learn(regions=tuple(result for result, _ in results))
    await _tell_once(name, rules.told(name, drifts), bool(drifts))
    if drifts:
        draft.learn(reason=" ".join(str(drift) for drift in drifts), next_step="Find out who changed it.")
        return "drifted"
    missed = [result for result, _ in results if result.outcome == "unavailable"]
    if missed:
        draft.learn(reason=missed[0].reason, next_step="It is asked again the next time.")
        return "unavailable"
    return "unchanged"


async def _in_region(environment: Environment, name: str) -> tuple[RegionResult, tuple[rules.Drift, ...]]:
    """A region that does not answer keeps nobody from the others."""
    try:
        state = await deploy.observe(environment.regions[name])
    except TidegateError as error:
        return RegionResult(name, "unavailable", reason=of_error(error)[1]), ()
    found = rules.of_region(state)
    for one in found:
        say(str(one), warn=True)
    live = state.route.live if state.route else None
    version, digest = (live.artifact.version, live.artifact.digest) if live else ("", "")
    reason = " ".join(str(one) for one in found)
    return RegionResult(name, "drifted" if found else "unchanged", version, digest, reason=reason), found


async def _tell_once(environment: str, text: str, drifted: bool) -> None:
    """Slack hears of it when it begins, changes and ends, not at every look."""
    before = await tasks.told_before(environment)
    await tasks.remember(environment, text)
    if text != before and (drifted or before):
        await notify.slack("incidents" if environment == "production" else "deployments", text)


async def _tell(outcome: Outcome) -> None:
    """Told already, where there was something new."""
