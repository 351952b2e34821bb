"""Development: test a branch, build its image, and bring develop to the development environment."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State

from config import load
from flows import common, run_names
from flows.conclude import Draft, conclude
from flows.gating import Asking, gated, require_possible
from flows.region import in_region
from release import branches, planning
from release.environment import Environment
from release.errors import TidegateError
from release.model import Artifact
from release.outcome import Outcome, RegionResult, Word, of_error
from release.strategy import Want
from release.versions import shown
from tasks import context, image, notify, quality, source
from tasks.say import say

CHECKS = (("lint",), ("unit", "integration"), ("audit",), ("sast",))
STATUS = "tidegate/development"
LATEST = "dev-latest"


@flow(name="development", flow_run_name=run_names.development)
async def development(
    ref: str = branches.DEVELOP, pull: int | None = None, actor: str = "unknown", wait_for_lock: bool = False
) -> State[Outcome]:
    """Test and build a branch; deploy it where it is develop.

    Args:
        ref: feature/**, bugfix/** or develop; not read when a pull request is given.
        pull: The number of a pull request to develop, from a branch of the repository itself.
        actor: Who asked for it.
        wait_for_lock: Wait for a deployment that is under way instead of refusing.
    """
    start = Outcome("development", "refused", version=f"pull request {pull}" if pull else ref, strategy="rolling")
    return await conclude(start, partial(_develop, ref, pull, actor, wait_for_lock), _tell)


async def _develop(ref: str, pull: int | None, actor: str, wait_for_lock: bool, draft: Draft) -> Word:
    environment = load.environment("development")
    require_possible(environment)
    branch, commit = await _asked(ref, pull)
    version = f"dev-{commit}"
    draft.learn(version=version, commit=commit)
    say(f"{branch} is at {commit[:12]}")
    await notify.commit_status(commit, "pending", STATUS, "Checks are running.")
    checkout = await source.checkout(commit, context.run_id())
    deployed = not pull and branches.deployed(branch)
    if deployed:
        states = await common.observed(environment, environment.regions, hurry=True)
        await common.check_regions(environment, states, planning.unbuilt(version, commit), checkout)
    await quality.run_side_by_side("development", checkout, CHECKS, {**environment.variables, "ENVIRONMENT": "test"})
    artifact = await _built(version, commit, checkout)
    draft.learn(digest=artifact.digest)
    if not deployed:
        say(f"{branch} is built, not deployed: development takes {branches.DEVELOP} alone")
        return "built"
    return await _deploy(draft, environment, artifact, checkout, actor, wait_for_lock)


async def _asked(ref: str, pull: int | None) -> tuple[str, str]:
    """The branch and its commit; a pull request's is the one that GitHub names."""
    if pull is None:
        branch = branches.development_branch(ref)
        return branch, await source.commit_of(f"refs/heads/{branch}")
    found = await source.pull_request(pull)
    return found.head, await source.commit_of(found.commit)


async def _built(version: str, commit: str, checkout: Path) -> Artifact:
    artifact = await image.built_before(version, version, commit)
    if artifact is None:
        app = source.application_file(checkout)
        artifact = await image.build_and_push(app, checkout, version, commit, (version,), {}, cache_from=(LATEST,))
    else:
        say(f"{shown(version)} was built before: {artifact.digest[:19]}")
    await image.promote(artifact.digest, LATEST, move=True)
    return artifact


async def _deploy(
    draft: Draft, environment: Environment, artifact: Artifact, checkout: Path, actor: str, wait_for_lock: bool
) -> Word:
    want = common.wanted(environment, artifact, "rolling")
    states = await common.observed(environment, environment.regions)
    if common.all_settled(states, want):
        say(f"{shown(artifact.version)} is live already: nothing to do")
        return "unchanged"
    await common.check_regions(environment, states, artifact, checkout)
    asking = Asking(environment, "development", artifact, "rolling", tuple(environment.regions), actor)
    async with gated(asking, f"development {shown(artifact.version)}", wait=wait_for_lock):
        for region in environment.regions:
            await _bring(draft, environment, region, want, checkout)
    return "released"


async def _bring(draft: Draft, environment: Environment, region: str, want: Want, checkout: Path) -> None:
    """One region. Development is not taken back: who broke it wants to look at it, and nobody else depends on it."""
    try:
        result = await in_region(region, environment.name, want.artifact, checkout, "rolling")
    except TidegateError as error:
        word, reason, next_step = of_error(error)
        draft.learn(regions=(*draft.outcome.regions, RegionResult(region, word, reason=reason)))
        told = f"{error.what} Development stays as it is: nothing was taken back."
        raise type(error)(told, region=error.region, field=error.field, next_step=next_step) from error
    draft.learn(regions=(*draft.outcome.regions, result))


async def _tell(outcome: Outcome) -> None:
    if outcome.commit:
        if outcome.good:
            await notify.commit_status(outcome.commit, "success", STATUS, outcome.word)
        else:
            await notify.commit_status(outcome.commit, "failure", STATUS, outcome.reason)
