"""What a production release asks of the outside before it touches a region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prefect import task
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact

from config import load
from release import checks, planning, verification
from release.checks_made import Check
from release.errors import Refused
from tasks import backup, context, notify
from tasks.policy import RETRY
from tasks.say import say


@task(task_run_name="release notes of {tag}", **RETRY)
async def release_body(tag: str) -> str | None:
    """The body of the tag's published GitHub release; None where there is none. Raises Unavailable, and Refused
    where no GitHub is configured."""
    client = await context.github()
    if client is None:
        raise Refused(
            "the release notes cannot be read: neither a token nor an App for GitHub is configured.",
            field="github.token",
            next_step="Set github.token or github.app, or set `checks: {release_notes: false}` and give --strategy.",
        )
    async with client as github:
        found = await github.release(tag)
    return None if found is None else found.body


@task(task_run_name="what staging says of {commit}", **RETRY)
async def verification_record(commit: str) -> Mapping[str, Any] | None:
    """Staging's record of a commit, as it is now in the registry."""
    async with await context.registry() as registry:
        return await registry.read_record(verification.tag_of(commit))


@task(task_run_name="tell the team", **RETRY)
async def tell_team(text: str) -> None:
    """Post to #releases before anything starts. Raises Unavailable or Refused: this message is a check."""
    await notify.post("releases", text)


async def show_plan(planned: planning.Plan) -> None:
    """What the release is about to do, for people."""
    text = planning.markdown(planned)
    await acreate_markdown_artifact(key="plan-production", markdown=text, description=planned.strategy)


async def show(found: Sequence[Check], told: Sequence[Check] = ()) -> None:
    """The list of checks as a table, and in the log those that were not `told` before."""
    for check in found:
        if check in told:
            continue
        say(f"{'ok' if check.ok else 'NOT OK'}: {check.name}: {check.detail}", warn=not check.ok)
    outcome = "all passed" if all(check.ok for check in found) else "refused"
    await acreate_table_artifact(key="checks-production", table=checks.rows(found), description=outcome)


async def database_backup(tag: str) -> None:
    """Ask for a backup before the release of `tag`. Raises Refused or Unavailable where none is certain."""
    if load.settings().backup is None:
        raise Refused(
            "the environment asks for a database backup, but no backup service is configured.",
            field="backup.url",
            next_step="Configure it in tidegate.yaml, or set `backup: false` in production.yaml.",
        )
    await backup.request({"type": "pre-release", "tag": tag})
