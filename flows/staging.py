"""Staging: test a commit, build its image once, deploy it, verify it and its way back, and say so in the registry."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State

from config import load
from flows import common
from flows.conclude import Draft, conclude
from flows.gating import Asking, gated, require_possible
from flows.region import CHECKS
from flows.rehearsal import production_now
from flows.staging_region import Staged
from flows.waves import release_waves
from release import messages, planning, quality
from release.environment import Environment
from release.model import Artifact
from release.outcome import Outcome, Word
from release.versions import Version, parse_tag, parse_version
from tasks import clock, context, image, notify, quarantine, source, waiting
from tasks.branch import require_head
from tasks.quality import run_side_by_side
from tasks.say import say

TESTS = (("lint",), ("unit", "integration", "e2e"), ("audit",), ("sast",))


@flow(name="staging", flow_run_name="{ref} by {actor}")
async def staging(
    ref: str = "main",
    version: str | None = None,
    actor: str = "unknown",
    wait_for_lock: bool = False,
    break_glass: str | None = None,
) -> State[Outcome]:
    """Stage a commit: test, build, deploy, verify, and rehearse its way back.

    Args:
        ref: A branch, tag or commit of the application.
        version: X.Y.Z; computed from the commits since the last release tag when empty.
        actor: Who asked for it.
        wait_for_lock: Wait for a release that is under way instead of refusing.
        break_glass: Why the gates are broken: then one person who may operate and proves it is all they ask for.
    """
    start = Outcome("staging", "refused", version=version or ref, strategy="rolling")
    body = partial(_stage, ref, version, actor, wait_for_lock, break_glass or "")
    return await conclude(start, body, partial(_tell, actor))


async def _stage(ref: str, version: str | None, actor: str, wait_for_lock: bool, broken: str, draft: Draft) -> Word:
    asked = parse_version(version) if version else None
    environment = load.environment("staging")
    require_possible(environment, broken)
    commit = await source.commit_of(ref)
    chosen = asked or _tagged(ref) or await source.next_version(commit)
    draft.learn(version=str(chosen), commit=commit)
    say(f"staging v{chosen} from commit {commit[:12]}")
    if (branch := environment.gates.protected_branch) is not None:
        await source.require_on_branch(ref, commit, branch, field="ref")
    before = await common.observed(environment, environment.regions, hurry=True)
    checkout = await source.checkout(commit, context.run_id())
    artifact = await _known(chosen, commit, moves=asked is None)
    # A run that was suspended at its gates begins again from the top: it was tested before its image was built.
    if artifact is None or not await waiting.resumed():
        await common.check_regions(environment, before, planning.unbuilt(str(chosen), commit), checkout)
        await _test(environment, checkout)
        artifact = await _built(chosen, commit, checkout, artifact)
    draft.learn(digest=artifact.digest)
    await quarantine.require_free(artifact.digest)
    await common.check_regions(environment, before, artifact, checkout)
    want = common.wanted(environment, artifact, "rolling")
    asking = Asking(
        environment, "staging", artifact, "rolling", tuple(environment.regions), actor, broken, True, "deployments"
    )
    still = partial(require_head, ref, commit)
    async with gated(asking, f"staging v{chosen}", wait=wait_for_lock, still=still) as grip:
        staged = Staged(environment, await production_now() if environment.rehearsal.enabled else [])
        word = await release_waves(draft, grip, environment.waves, want, checkout, staged.region)
        if word == "released":
            await image.mark_verified(artifact, clock.now(), context.run_id(), staged.way_back)
            await image.promote(artifact.digest, image.STAGED, move=True)
            say(f"v{chosen} is verified: {artifact.digest[:19]}")
            draft.learn(warnings=staged.warnings)
    return word


def _tagged(ref: str) -> Version | None:
    """A release tag is staged under its own version."""
    return parse_tag(ref) if ref.startswith("v") and ref[1:2].isdigit() else None


async def _test(environment: Environment, checkout: Path) -> None:
    """Tests, audit and scan. Raises Refused first where the application names no test for what will be deployed."""
    quality.require_commands(source.application_file(checkout).commands, CHECKS["staging"])
    variables = {**environment.variables, "ENVIRONMENT": "staging"}
    await run_side_by_side("staging", checkout, TESTS, variables)


async def _known(version: Version, commit: str, *, moves: bool) -> Artifact | None:
    """The image of this version, where it was built from this commit before. Raises Refused where the version is
    another commit's. What nobody released yet gives way where the version `moves`: to a newer push whose version was
    computed, and to the commit that git's tag names."""
    # A hotfix was never staged: its image has the release's tag only.
    for known, may_move in ((_of_commit(commit), True), (f"staging-{version}", moves), (version.tag, False)):
        artifact = await image.built_before(known, str(version), commit, moves=may_move)
        if artifact is not None:
            say(f"{known} was built before: {artifact.digest[:19]}")
            return artifact
    return None


async def _built(version: Version, commit: str, checkout: Path, known: Artifact | None) -> Artifact:
    artifact = known
    if artifact is None:
        # By its commit too: the next push may take the version's tag over before this one is released.
        app, tags = source.application_file(checkout), (f"staging-{version}", _of_commit(commit))
        artifact = await image.build_and_push(app, checkout, str(version), commit, tags, {}, cache_from=(image.STAGED,))
    return artifact


def _of_commit(commit: str) -> str:
    return f"staging-{commit[:12]}"


async def _tell(actor: str, outcome: Outcome) -> None:
    if outcome.good and outcome.warnings:
        await notify.slack("deployments", messages.staged_without_way_back(outcome, actor))
    if not outcome.good and outcome.word != "refused":
        text = messages.staging_failed(outcome.version, outcome.commit, actor, outcome)
        await notify.slack("deployments", text)
