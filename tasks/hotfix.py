"""What only a hotfix does: its version, its record in the registry, and its changes in GitHub."""

from __future__ import annotations

from collections.abc import Mapping

from prefect import task

from clients.github_changes import Merge
from release import hotfix, verification
from release.errors import Refused
from release.hotfix_messages import Fix, Left, merge_message, pull_request, release_name, tag_message
from release.versions import Version
from tasks import context, source
from tasks.policy import PATIENT, RETRY
from tasks.say import say

ENVIRONMENT = "production (hotfix)"
_REVISION = "org.opencontainers.image.revision"


def image_tag(version: Version) -> str:
    return f"hotfix-{version}"


@task(task_run_name="branch {branch} holds what is live", **RETRY)
async def require_from_live(branch: str, commit: str, live: Mapping[str, str]) -> None:
    """Raises Refused unless the branch's commit holds every region's live commit."""
    repository = await source.repository()
    for region, shipped in live.items():
        try:
            holds = await repository.is_ancestor(shipped, commit)
        except Refused:
            holds = False  # a commit that the repository no longer knows is in no branch
        if not holds:
            raise hotfix.not_from_live(branch, region, shipped)


@task(task_run_name="hotfix version", **RETRY)
async def version_of(branch: str, commit: str) -> Version:
    """The next free version; the same again for a commit that was built before. Raises Refused for nothing new."""
    repository = await source.repository()
    tags = await repository.tags()
    newest = next(iter((await repository.tags(commit)).items()), None)
    if newest is not None and await repository.commit_of(newest[0]) == commit:
        if await _built_from(newest[1]) != commit:
            raise hotfix.nothing_new(branch, newest[0])
        return newest[1]
    taken = set(tags.values())
    while True:
        version = hotfix.next_free(newest[1] if newest else None, taken)
        if await _built_from(version) in (None, commit):
            return version
        taken.add(version)


async def _built_from(version: Version) -> str | None:
    """The commit of the hotfix image of that version; None where there is none."""
    async with await context.registry() as registry:
        manifest = await registry.manifest(image_tag(version))
        return None if manifest is None else (await registry.labels(manifest.digest)).get(_REVISION, "")


@task(task_run_name="subjects since {before}", **RETRY)
async def changes(commit: str, before: str | None) -> tuple[str, ...]:
    """The subjects of the commits that came with the hotfix, newest first; none where nothing was before it."""
    messages = await (await source.repository()).messages(before, commit) if before else ()
    return tuple(message.splitlines()[0] for message in messages)


@task(task_run_name="record the hotfix", **PATIENT)
async def record(fix: Fix, at: str) -> None:
    """Say in the registry which digest is of this commit, as staging does for what it verified."""
    kept = verification.record(fix.artifact, at=at, run=fix.run, way_back=fix.way_back)
    tag, digest = verification.tag_of(fix.artifact.commit), fix.artifact.digest
    async with await context.registry() as registry:
        await registry.write_record(tag, digest, {**kept, "environment": ENVIRONMENT})


@task(task_run_name="tag {fix.tag}", **RETRY)
async def tag(fix: Fix) -> str:
    """The annotated tag; what was done, as a sentence."""
    async with await context.required_github() as github:
        await github.create_tag(fix.tag, fix.artifact.commit, tag_message(fix))
    return f"{fix.tag} is tagged at {fix.artifact.commit[:12]}"


@task(task_run_name="GitHub release {fix.tag}", **RETRY)
async def publish(fix: Fix, body: str) -> str:
    """The GitHub release; what was done, as a sentence."""
    async with await context.required_github() as github:
        release = await github.create_release(fix.tag, release_name(fix), body)
    return f"the GitHub release {fix.tag} is published {release.url}".rstrip()


@task(task_run_name="merge {head} into {base}", **RETRY)
async def merge(fix: Fix, head: str, base: str) -> Left:
    """Merge through GitHub; a conflict or a protected branch becomes a pull request, which a person must finish."""
    async with await context.required_github() as github:
        found = await github.merge(base, head, merge_message(fix, head, base))
        if found.outcome in ("merged", "unchanged"):
            return Left(done=(_merged(found, head, base),))
        why = "they conflict" if found.outcome == "conflict" else f"{base} is protected"
        title, text = pull_request(fix, head, base, f"{why} ({found.reason.rstrip('.')})")
        pull = await github.create_pull_request(head, base, title, text)
    say(f"{head} is not merged into {base}: {why}; pull request {pull.number}", warn=True)
    return Left(open=(f"{head} is not merged into {base}: {why}. Merge pull request {pull.url} by hand.",))


def _merged(found: Merge, head: str, base: str) -> str:
    return f"{head} is merged into {base}" if found.commit else f"{base} held {head} already"
