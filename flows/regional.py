"""A region's side: the run that a release has in the region's own worker, with that cluster's credentials alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from config import load
from flows.answering import answering
from flows.common import check_here, lockstep, observed, wanted
from flows.emergency import emergency_region
from flows.forms import EnvironmentWord, StrategyWord
from flows.region import CHECKS, back_here, bring_live
from flows.retire import retire_here
from release import plan
from release.environment import Environment
from release.errors import Refused, TidegateError
from release.model import Artifact
from release.outcome import RegionResult
from release.relay import Do, trouble
from tasks import context, github_deployments, source


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked of this run: the version that is to be live there, or that goes back."""

    environment: str
    region: str
    artifact: Artifact
    config: str
    strategy: str
    branch: str

    @property
    def where(self) -> Environment:
        return load.environment(self.environment)

    async def checkout(self) -> Path:
        """The version's source, fetched by this worker."""
        return await source.checkout(self.artifact.commit, context.run_id())

    def require_config(self) -> None:
        """Raises Refused where this worker reads other chart values than the release."""
        if wanted(self.where, self.artifact, "rolling").config != self.config:
            raise Refused(
                "this region's worker reads another configuration than the release.",
                region=self.region,
                field="config",
                next_step="Give both the same configuration, then start the release again.",
            )


@flow(name="regional", flow_run_name="{region}: {do} v{version}")
async def regional(
    environment: EnvironmentWord,
    region: str,
    do: Do,
    version: str,
    digest: str,
    commit: str,
    config: str,
    orders: UUID,
    words: UUID,
    strategy: StrategyWord = "rolling",
    branch: str = "",
    wave: list[str] | None = None,
) -> State[RegionResult]:
    """One region's part of a release, of its way back, or of what is before and after. A release starts it itself.

    Args:
        environment: development, staging or production.
        region: The region, whose cluster this worker reaches.
        do: What is done there. One of check, forward, emergency, back and retire.
        version: The version that the release brings, or that goes back.
        digest: Its image's digest.
        commit: Its commit.
        config: The hash of the chart values; another one here is refused.
        orders: The artifact by which the release tells what it wants.
        words: The artifact by which this run answers.
        strategy: rolling, blue-green or canary.
        branch: The hotfix's branch, in an emergency.
        wave: The regions that take a canary's steps together.
    """
    github_deployments.begin()
    work = Work(environment, region, Artifact(version, digest, commit), config, strategy, branch)
    async with answering(orders, words) as line:
        lockstep.set(line if wave else None)
        try:
            result = await _DONE_BY[do](work)
        except TidegateError as error:
            await line.end(trouble=trouble(error, region))
            ended: State[RegionResult] = Failed(name=error.outcome.capitalize(), message=str(error))
        else:
            await line.end(result=result)
            ended = Completed(name=result.outcome.capitalize(), message=result.reason or None)
    await github_deployments.tell_again()
    return ended


async def _check(work: Work) -> RegionResult:
    work.require_config()
    (state,) = await observed(work.where, [work.region])
    await check_here(work.where, state, work.artifact, await work.checkout())
    return RegionResult(work.region, "unchanged")


async def _forward(work: Work) -> RegionResult:
    work.require_config()
    strategy, checks = plan.strategy(work.strategy), CHECKS[work.environment]
    return await bring_live(work.where, work.region, work.artifact, await work.checkout(), strategy, checks)


async def _emergency(work: Work) -> RegionResult:
    work.require_config()
    facts = (work.artifact.version, work.artifact.digest, work.artifact.commit, str(await work.checkout()))
    return await emergency_region(work.region, *facts, work.branch, "critical")


async def _back(work: Work) -> RegionResult:
    checkout = await work.checkout()
    bad = replace(wanted(work.where, work.artifact, "rolling"), config=work.config)
    return await back_here(work.where, work.region, bad, context.chart(checkout), source.application_file(checkout))


async def _retire(work: Work) -> RegionResult:
    return await retire_here(work.where, work.region)


_DONE_BY: dict[Do, Callable[[Work], Awaitable[RegionResult]]] = {
    "check": _check,
    "forward": _forward,
    "emergency": _emergency,
    "back": _back,
    "retire": _retire,
}
