"""Staging: test a commit, build its image once, deploy it, verify it, and say so in the registry."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State

from config import load
from flows import common
from flows.conclude import Draft, conclude
from flows.waves import release_waves
from release import messages
from release.environment import Environment
from release.model import Artifact
from release.outcome import Outcome, Word
from release.versions import Version, parse_tag, parse_version
from tasks import clock, context, image, notify, source
from tasks.lock import held
from tasks.say import say

TESTS = ("install", "lint", "unit", "integration", "e2e")


@flow(name="staging", flow_run_name="{ref} by {actor}")
async def staging(
    ref: str = "main", version: str | None = None, actor: str = "unknown", wait_for_lock: bool = False
) -> State[Outcome]:
    """Stage a commit: test, build, deploy, verify.

    Args:
        ref: A branch, tag or commit of the application.
        version: X.Y.Z; computed from the commits since the last release tag when empty.
        actor: Who asked for it.
        wait_for_lock: Wait for a release that is under way instead of refusing.
    """
    start = Outcome("staging", "refused", version=version or ref, strategy="rolling")
    return await conclude(start, partial(_stage, ref, version, actor, wait_for_lock), partial(_tell, actor))


async def _stage(ref: str, version: str | None, actor: str, wait_for_lock: bool, draft: Draft) -> Word:
    asked = parse_version(version) if version else None
    environment = load.environment("staging")
    commit = await source.commit_of(ref)
    chosen = asked or _tagged(ref) or await source.next_version(commit)
    draft.learn(version=str(chosen), commit=commit)
    say(f"staging v{chosen} from commit {commit[:12]}")
    before = await common.observed(environment, environment.regions)
    checkout = await source.checkout(commit, context.run_id())
    await _test(environment, checkout)
    artifact = await _built(chosen, commit, checkout)
    draft.learn(digest=artifact.digest)
    say(messages.NOT_ENFORCED, warn=True)
    await common.check_regions(environment, before, artifact, checkout)
    wanted = common.wanted(environment, artifact, "rolling")
    async with held(environment, actor, f"staging v{chosen}", wait=wait_for_lock) as grip:
        word = await release_waves(draft, grip, environment.waves, wanted, checkout)
        if word == "released":
            await image.mark_verified(artifact, clock.now(), context.run_id())
            say(f"v{chosen} is verified: {artifact.digest[:19]}")
    return word


def _tagged(ref: str) -> Version | None:
    """A release tag is staged under its own version."""
    return parse_tag(ref) if ref.startswith("v") and ref[1:2].isdigit() else None


async def _test(environment: Environment, checkout: Path) -> None:
    variables = {**environment.variables, "ENVIRONMENT": "staging"}
    for command in TESTS:
        await source.run_command(command, checkout, variables)


async def _built(version: Version, commit: str, checkout: Path) -> Artifact:
    tag = f"staging-{version}"
    artifact = await image.built_before(tag, str(version), commit)
    if artifact is None:
        app = source.application_file(checkout)
        artifact = await image.build_and_push(app, checkout, str(version), commit, (tag,), {})
    else:
        say(f"{tag} was built before: {artifact.digest[:19]}")
    await image.promote(artifact.digest, "staging-latest", move=True)
    return artifact


async def _tell(actor: str, outcome: Outcome) -> None:
    if not outcome.good and outcome.word != "refused":
        text = messages.staging_failed(outcome.version, outcome.commit, actor, outcome)
        await notify.slack("deployments", text)
