"""A release to production: a tag that staging verified, promoted by digest, region by region."""

from __future__ import annotations

from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from config import load
from flows import common
from flows.conclude import Draft, conclude
from flows.waves import release_waves
from release import messages, plan
from release.model import Artifact
from release.outcome import Outcome, Word
from release.versions import Version, parse_tag
from tasks import clock, context, image, notify, source
from tasks.lock import held
from tasks.say import say


@flow(name="production", flow_run_name="{tag} {strategy} by {actor}")
async def production(
    tag: str,
    strategy: str = "rolling",
    regions: list[str] | None = None,
    actor: str = "unknown",
    wait_for_lock: bool = False,
) -> State[Outcome]:
    """Release a verified version to production.

    Args:
        tag: The release tag, vX.Y.Z, of a commit on main that staging verified.
        strategy: rolling, blue-green or canary.
        regions: Only these regions; all of them when empty.
        actor: Who asked for it.
        wait_for_lock: Wait for a release that is under way instead of refusing.
    """
    start = Outcome("production", "refused", version=tag.removeprefix("v"), strategy=strategy)
    return await conclude(start, partial(_release, tag, strategy, regions, actor, wait_for_lock), partial(_tell, actor))


async def _release(
    tag: str, strategy: str, regions: list[str] | None, actor: str, wait_for_lock: bool, draft: Draft
) -> Word:
    version = parse_tag(tag)
    chosen = plan.strategy(strategy)
    environment = load.environment("production")
    waves = plan.waves(environment, regions)
    order = [region for wave in waves for region in wave]
    artifact = await _verified(version, draft)
    wanted = common.wanted(environment, artifact, chosen)
    states = await common.observed(environment, order)
    if common.all_settled(states, wanted):
        say(f"{tag} is live everywhere already: nothing to do")
        return "unchanged"
    say(messages.NOT_ENFORCED, warn=True)
    checkout = await source.checkout(artifact.commit, context.run_id())
    await common.check_regions(environment, states, artifact, checkout)
    await image.promote(artifact.digest, tag)
    async with held(environment, actor, f"production {tag}", wait=wait_for_lock) as grip:
        return await release_waves(draft, grip, waves, wanted, checkout)


async def _verified(version: Version, draft: Draft) -> Artifact:
    """The tag's commit is on main, and staging verified its digest."""
    commit = await source.commit_of(version.tag)
    await source.require_on_branch(version.tag, commit, load.settings().application.branch)
    artifact = await image.verified(version, commit)
    draft.learn(digest=artifact.digest, commit=commit)
    say(f"{version.tag} is {artifact.digest[:19]}, verified in staging for commit {commit[:12]}")
    return artifact


async def _tell(actor: str, outcome: Outcome) -> None:
    if outcome.word in ("refused", "unchanged"):
        return
    event = "deployment_success" if outcome.good else "deployment_failure"
    await notify.monitoring(event, outcome, clock.now())
    if outcome.good:
        await notify.slack("releases", messages.released(outcome, actor))
    else:
        on_call = load.settings().slack.on_call
        await notify.slack("incidents", messages.incident(outcome, actor, on_call))
