"""A release to production: a tag that staging verified, promoted by digest, region by region."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from config import load
from flows import common, prepare
from flows.conclude import Draft, conclude
from flows.finish import finish
from flows.forms import RegionWord, StrategyWord
from flows.gating import Asking, gated, require_possible
from flows.guard import left_open
from flows.retire import retire_due
from flows.told import tell_production
from flows.waves import release_waves
from release import live, plan, traffic
from release.model import Artifact
from release.outcome import Outcome, Word
from release.versions import Version, parse_tag
from tasks import clock, context, image, metrics, notify, source
from tasks.lock import left_recovering
from tasks.maintenance import maintained
from tasks.say import say


@flow(name="production", flow_run_name="{tag} by {actor}")
async def production(
    tag: str,
    strategy: StrategyWord | None = None,
    regions: list[RegionWord] | None = None,
    actor: str = "unknown",
    wait_for_lock: bool = False,
    accept_no_way_back: bool = False,
    break_glass: str | None = None,
) -> State[Outcome]:
    """Release a verified version to production.

    Args:
        tag: The release tag, vX.Y.Z, of a commit on main that staging verified.
        strategy: rolling, blue-green or canary; when empty, what the GitHub release's body says, else rolling.
        regions: Only these regions; all of them when empty.
        actor: Who asked for it.
        wait_for_lock: Wait for a release that is under way instead of refusing.
        accept_no_way_back: Release although a bad version could not be taken back.
        break_glass: Why the gates are broken: then one person who may operate and proves it is all they ask for.
    """
    start = Outcome("production", "refused", version=tag.removeprefix("v"), strategy=strategy or "")
    planned = partial(_planned, tag, strategy, regions, actor, accept_no_way_back, break_glass or "")
    body = partial(_release, tag, planned, wait_for_lock)
    return await conclude(start, body, partial(tell_production, actor))


async def _release(tag: str, ready: Callable[[Draft], Awaitable[prepare.Plan]], wait: bool, draft: Draft) -> Word:
    planned = await ready(draft)
    environment = planned.environment
    artifact = await _verified(planned.version, draft)
    want = common.wanted(environment, artifact, planned.strategy)
    states = await common.observed(environment, planned.regions, hurry=True)
    going_back = await left_recovering(environment, f"production {tag}")
    if common.all_settled(states, want) and not going_back:
        word = await finish(environment, draft, states, planned.actor, f"production {tag}", wait=wait)
        await left_open(environment, draft, states)
        return word
    draft.learn(committed=await source.committed(artifact.commit, live.commits(states, artifact.commit)))
    checkout = await source.checkout(artifact.commit, context.run_id())
    await common.check_regions(environment, states, artifact, checkout)
    # A release that died while it went back goes on going back: no check may keep it from that.
    if not going_back:
        await prepare.check(planned, want, checkout)
    asking = Asking(
        environment, "production", artifact, planned.strategy, planned.regions, planned.actor, planned.break_glass, True
    )
    async with gated(asking, f"production {tag}", wait=wait) as grip:
        await retire_due(environment)
        if not grip.recovering:
            await prepare.begin(planned, want, checkout)
            await image.promote(artifact.digest, tag)
        async with maintained(environment, planned.regions):
            await notify.monitoring("deployment_start", draft.outcome, clock.now())
            waves = plan.waves(environment, planned.regions)
            word = await release_waves(draft, grip, waves, want, checkout, guarded=True)
    if word == "released":
        await left_open(environment, draft)
    return word


async def _planned(
    tag: str, asked: str | None, regions: list[str] | None, actor: str, accept: bool, broken: str, draft: Draft
) -> prepare.Plan:
    """Refuses what could never be, before anything is asked of a region."""
    version, environment = parse_tag(tag), load.environment("production")
    require_possible(environment, broken)
    order = tuple(region for wave in plan.waves(environment, regions) for region in wave)
    strategy = await prepare.strategy_of(tag, asked)
    draft.learn(strategy=strategy)
    traffic.require_possible(strategy, (environment.regions[name] for name in order))
    prepare.require_maintenance(environment, strategy, order)
    metrics.require_judged(environment, strategy)
    return prepare.Plan(environment, version, strategy, order, actor, accept, broken)


async def _verified(version: Version, draft: Draft) -> Artifact:
    """The tag's commit is on main, and staging verified its digest."""
    commit = await source.commit_of_tag(version.tag)
    await source.require_on_branch(version.tag, commit, load.settings().application.branch)
    artifact = await image.verified(version, commit)
    draft.learn(digest=artifact.digest, commit=commit)
    say(f"{version.tag} is {artifact.digest[:19]}, verified in staging for commit {commit[:12]}")
    return artifact
