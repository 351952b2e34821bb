"""The application's source: its commits, tags, checkouts and commands."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path

from prefect import task

from clients import commits
from config import load
from release import hotfix
from release.branches import Pull, check_pull
from release.errors import Failed, Refused, TidegateError
from release.versions import Version, parse_tag
from tasks import context, lodging
from tasks.command import application_file, completed, tail
from tasks.context import work
from tasks.mirror import opened as repository
from tasks.policy import RETRY
from tasks.say import say

__all__ = ["application_file", "repository"]

# What a release tells of its commits' times; a measure needs no more.
MOST_COMMITS = 500


@task(task_run_name="resolve {ref}", **RETRY)
async def commit_of(ref: str) -> str:
    """The full commit of a branch, tag or commit. Raises Refused when there is none."""
    return await (await repository()).commit_of(ref)


@task(task_run_name="resolve {tag}", **RETRY)
async def commit_of_tag(tag: str) -> str:
    """The full commit of a release tag. Raises Refused where there is none, also where a branch has its name."""
    return await (await repository()).commit_of_tag(tag)


@task(task_run_name="pull request {number}", **RETRY)
async def pull_request(number: int) -> Pull:
    """A pull request that development may build. Raises Refused for one from a fork, closed, or to another branch."""
    client = await context.github()
    if client is None:
        what = "GitHub cannot be asked without a token or an App."
        raise Refused(what, field="github.token", next_step=context.NAME_A_WAY_IN)
    async with client as github:
        pull = await github.pull_request(number)
    if pull is None:
        raise Refused(f"there is no pull request {number}.", field="pull", next_step="Give the number of its page.")
    check_pull(pull, load.settings().application.github)
    return pull


@task(task_run_name="is {commit} on {branch}", **RETRY)
async def require_on_branch(tag: str, commit: str, branch: str, field: str = "tag") -> None:
    """Raises Refused, naming `field`, unless the commit is on the branch."""
    if not await (await repository()).contains(branch, commit):
        raise Refused(
            f"the commit of {tag} ({commit[:12]}) is not on {branch}.",
            field=field,
            next_step=f"Merge it into {branch} and {'tag' if field == 'tag' else 'stage'} the merged commit.",
        )


@task(task_run_name="next version", **RETRY)
async def next_version(commit: str) -> Version:
    """The version that the commits since the last release tag make, or the next one that no other branch has: a
    hotfix may be tagged and not merged yet. Raises Refused when no commit is releasable."""
    mirror = await repository()
    tag = await mirror.last_tag(commit)
    last = parse_tag(tag) if tag else None
    found = commits.next_version(last, await mirror.messages(tag, commit))
    if found is None:
        tagged = tag is not None and await mirror.commit_of(tag) == commit
        other = "Give a version with --version, or commit a change that is to be released."
        raise Refused(
            f"no commit since {tag or 'the beginning'} is releasable (feat, fix, perf or a breaking change).",
            field="ref",
            next_step=f"This commit is {tag} itself: stage that tag." if tagged else other,
        )
    taken = frozenset((await mirror.tags()).values())
    return hotfix.next_free(found, taken) if found in taken else found


@task(task_run_name="commits new to users", **RETRY)
async def committed(commit: str, live: tuple[str, ...]) -> tuple[str, ...]:
    """When the commits that `commit` brings beyond the `live` ones were made (ISO 8601); its own alone where nothing
    known is live. Nothing, which is said, where git cannot tell: a measure stops no release."""
    try:
        mirror = await repository()
        try:
            return (await mirror.times(live, commit))[:MOST_COMMITS] if live else ((await mirror.describe(commit)).at,)
        except Refused:
            return ((await mirror.describe(commit)).at,)
    except TidegateError as error:
        say(f"the lead time is not known: {error}", warn=True)
        return ()


@task(task_run_name="check out {commit}", **RETRY)
async def checkout(commit: str, run: str) -> Path:
    """A clean work tree of the commit, in a folder of this run."""
    made = await (await repository()).checkout(commit, work("runs", run) / f"source-{commit[:12]}")
    await asyncio.to_thread(lodging.forget, made)
    return made


@task(task_run_name="{command}")
async def run_command(command: str, checkout: Path, variables: Mapping[str, str], timeout: float = 900.0) -> None:
    """One of the application's commands, in its work tree. Raises Failed with its last lines when it fails."""
    say(await _run(command, checkout, variables, timeout, region=None))


@task(task_run_name="{region}: {command}")
async def check(
    region: str, command: str, checkout: Path, variables: Mapping[str, str], secrets: Collection[str]
) -> None:
    """One of the application's commands against a region, as `run_command`. `secrets` are the names of those among
    its variables: no message shows their values."""
    say(await _run(command, checkout, variables, 300.0, secrets, region=region), region=region)


async def _run(
    command: str,
    checkout: Path,
    variables: Mapping[str, str],
    timeout: float,
    secrets: Collection[str] = (),
    *,
    region: str | None,
) -> str:
    app, place = application_file(checkout), await lodging.of(checkout)
    done = await completed(command, place, variables, timeout, app)
    if done.code == 0:
        return f"{command} passed in {done.seconds:.1f} s"
    raise Failed(
        f"{command} failed with exit code {done.code}: {tail(done, variables, secrets)}",
        region=region,
        next_step=f"Mend what {command} says, then run again.",
    )
