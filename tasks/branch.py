"""Whether a branch went on while a run waited."""

from __future__ import annotations

from prefect import task

from release.errors import Refused, Unavailable
from tasks import source
from tasks.say import say


@task(task_run_name="is {commit} still the head of {ref}")
async def require_head(ref: str, commit: str) -> None:
    """Raises Refused when `ref` is a branch that has a newer commit by now: its run stages that one."""
    try:
        mirror = await source.repository()
    except Unavailable as error:
        say(f"whether {ref} has a newer commit is not known: {error}", warn=True)
        return
    if ref in await mirror.tags():
        return
    try:
        head = await mirror.commit_of(f"refs/heads/{ref}")
    except Refused:
        return  # a commit, or a branch that is gone
    if head != commit:
        raise Refused(
            f"superseded by {head[:12]}, which was pushed to {ref} while this run waited.",
            field="ref",
            next_step="Nothing: the newer commit has a run of its own. To stage this one all the same, give its SHA.",
        )
