"""A hotfix: a branch that holds what is live, tested, built by itself, and brought to production."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.client.schemas.objects import State
from prefect.context import TaskRunContext

from config import load
from flows import common, prepare
from flows.conclude import Draft, conclude
from flows.emergency import in_each
from flows.finish import finished
from flows.forms import SeverityWord
from flows.gating import Asking, gated, require_possible
from flows.guard import left_open
from flows.merging import leave_behind
from flows.region import in_region
from flows.retire import retire_due
from flows.told import tell_production
from flows.waves import release_waves
from release import hotfix as rules
from release import live, planning, quality, wayback
from release.environment import Environment
from release.hotfix_messages import Fix
from release.model import Artifact, RegionState
from release.outcome import Outcome, Word
from release.versions import Version
from tasks import context, image, metrics, quarantine, source
from tasks import hotfix as tasks
from tasks.maintenance import maintained
from tasks.quality import run_side_by_side
from tasks.say import say


@flow(name="hotfix", flow_run_name="{branch} {severity} by {actor}")
async def hotfix(
    branch: str,
    severity: SeverityWord = "critical",
    actor: str = "unknown",
    wait_for_lock: bool = False,
    break_glass: str | None = None,
) -> State[Outcome]:
    """Bring a hotfix branch to production.

    Args:
        branch: The branch, hotfix/..., which holds what is live.
        severity: critical, high or medium. Critical: fewest tests, one approval, no timer, one region at a time.
        actor: Who asked for it.
        wait_for_lock: Wait for a release that is under way instead of refusing.
        break_glass: Why the gates are broken: then one person who may operate and proves it is all they ask for.
    """
    start = Outcome("hotfix", "refused", version=branch, strategy="rolling")
    body = partial(_fix, branch, severity, actor, wait_for_lock, break_glass or "")
    return await conclude(start, body, partial(tell_production, actor))


async def _fix(branch: str, severity: str, actor: str, wait_for_lock: bool, broken: str, draft: Draft) -> Word:
    name, grade = rules.branch(branch), rules.severity(severity)
    environment = rules.environment(load.environment("production"), grade)
    require_possible(environment, broken)
    prepare.require_maintenance(environment, "rolling", environment.regions)
    if grade == "critical":
        metrics.require_address()  # it is watched after each region
    commit, before = await _from_live(environment, name)
    version = await tasks.version_of(name, commit)
    committed = await source.committed(commit, live.commits(before, commit))
    draft.learn(version=str(version), commit=commit, committed=committed)
    say(f"hotfix v{version} ({grade}) from {name}, commit {commit[:12]}")
    checkout = await source.checkout(commit, context.run_id())
    await common.check_regions(environment, before, planning.unbuilt(str(version), commit), checkout)
    checks = await _tested(environment, checkout, grade)
    artifact = await _built(version, commit, checkout)
    draft.learn(digest=artifact.digest)
    await quarantine.require_free(artifact.digest)
    wanted = common.wanted(environment, artifact, "rolling")
    await common.check_regions(environment, before, artifact, checkout)
    asking = Asking(environment, f"{grade} hotfix", artifact, "rolling", tuple(environment.regions), actor, broken)
    async with gated(asking, f"hotfix v{version}", wait=wait_for_lock) as grip:
        await retire_due(environment)
        _, states = await _from_live(environment, name)
        await image.promote(artifact.digest, tasks.image_tag(version))
        await image.promote(artifact.digest, "hotfix-latest", move=True)
        # Of a critical one that died, the watch of its last regions may not have been over: it goes through them again.
        unseen = grip.recovering is not None or (grade == "critical" and grip.before is not None)
        settled = common.all_settled(states, wanted) and not unseen
        if settled:
            word = await finished(draft, grip, states)
        else:
            if not grip.recovering:
                await prepare.back_up(environment, version)
            each = in_each(name) if grade == "critical" else in_region
            async with maintained(environment, environment.regions):
                word = await release_waves(draft, grip, environment.waves, wanted, checkout, each, guarded=True)
    if word in ("released", "unchanged"):
        await left_open(environment, draft, states if settled else None)
        back = wayback.of_hotfix(before, artifact, source.application_file(checkout))
        fix = Fix(name, grade, artifact, context.run_id(), checks, back)
        draft.learn(warnings=await leave_behind(environment, fix, before, draft.outcome.seconds, actor))
    return word


async def _from_live(environment: Environment, branch: str) -> tuple[str, list[RegionState]]:
    """The branch's commit, which holds what is live in every region, and the regions."""
    commit = await source.commit_of(f"refs/heads/{branch}")
    states = await common.observed(environment, environment.regions)
    await tasks.require_from_live(branch, commit, rules.live_commits(states))
    return commit, states


def _once(_: TaskRunContext, given: dict[str, Any]) -> str:
    # The checkout is this run's own, of one commit.
    return f"hotfix-tests-{context.run_id()}-{given['checkout'].name}-{given['severity']}"


@task(name="tests", persist_result=True, cache_key_fn=_once)
async def _tested(environment: Environment, checkout: Path, severity: rules.Severity) -> tuple[str, ...]:
    """The tests of that severity beside the audit and the scan; a line about each.

    A run that was suspended at its gates does not repeat them: minutes count, and a test that fails now and then would
    refuse what people approved.
    """
    groups = (rules.tests(severity), ("audit",), ("sast",))
    variables = {**environment.variables, "ENVIRONMENT": "test"}
    found = await run_side_by_side("hotfix", checkout, groups, variables)
    return tuple(quality.line(one) for one in found)


async def _built(version: Version, commit: str, checkout: Path) -> Artifact:
    tag = tasks.image_tag(version)
    artifact = await image.built_before(tag, str(version), commit)
    if artifact is None:
        app, arguments, layers = source.application_file(checkout), {"BUILD_TYPE": "hotfix"}, (image.STAGED,)
        artifact = await image.build_and_push(app, checkout, str(version), commit, (tag,), arguments, cache_from=layers)
    else:
        say(f"{tag} was built before: {artifact.digest[:19]}")
    return artifact
