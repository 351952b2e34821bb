"""The quarantine of images, kept in the registry beside the images themselves."""

from __future__ import annotations

from prefect import task

from release import quarantine
from release.errors import TidegateError
from release.model import Artifact
from release.quarantine import Harm, Quarantined
from release.versions import shown
from tasks import clock, context
from tasks.policy import PATIENT, RETRY
from tasks.say import say


@task(task_run_name="is {digest} quarantined", **RETRY)
async def entry(digest: str) -> Quarantined | None:
    """What the registry holds against an image."""
    async with await context.registry() as registry:
        return quarantine.from_record(await registry.read_record(quarantine.tag_of(digest)))


async def require_free(digest: str) -> None:
    """Raises Refused while the image is quarantined."""
    quarantine.require_free(await entry(digest))


async def put(artifact: Artifact, why: str, who: str, harm: tuple[Harm, ...]) -> bool:
    """Quarantine the image; False, which is said, where the registry does not take it."""
    try:
        await _write(Quarantined(artifact, why, clock.now(), context.run_id(), who, harm))
    except TidegateError as error:
        say(f"{shown(artifact.version)} could not be quarantined: {error}", warn=True)
        return False
    say(f"{shown(artifact.version)} is quarantined: it is refused until a person lifts that", warn=True)
    return True


@task(task_run_name="quarantine {entry.artifact.version}", **PATIENT)
async def _write(entry: Quarantined) -> None:
    async with await context.registry() as registry:
        digest = entry.artifact.digest
        await registry.write_record(quarantine.tag_of(digest), digest, entry.as_dict())
