"""`tidegate revert`: open the pull request that is offered after a version was taken back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from config import load
from deployments.cli import who
from deployments.cli.release import Json
from release import reverting

if TYPE_CHECKING:
    from clients.github_changes import PullRequest
    from release.people import Requester
    from release.reverting import Revert


def revert(
    run: Annotated[str, typer.Argument(help="The release's run, or its beginning, as Slack and `history` tell it.")],
    as_json: Json = False,
) -> None:
    """Open a pull request that takes a version's change back on the main branch, with what users met. The version
    must have been taken back from production; what was merged after it stays.

    Example: `tidegate revert 3f2a`.
    """
    wanted, opened, note = asyncio.run(_revert(run, who.caller()))
    who.noted(note)
    if as_json:
        Console().print_json(data={"branch": wanted.branch, "pull_request": opened.number, "url": opened.url})
        return
    typer.echo(f"Pull request {opened.number} reverts {wanted.version}: {opened.url}")
    typer.echo("Next: review and merge it, then stage and release the next version.")


async def _revert(asked: str, by: Requester) -> tuple[Revert, PullRequest, str]:
    from clients.git_revert import push, revert
    from deployments import audited, prefectapi, watching
    from tasks import context
    from tasks import mirror as mirrors

    application = load.settings().application
    async with prefectapi.runs() as runs:
        run = await watching.find(runs, asked)
        wanted = reverting.of_outcome(run.id, (await runs.artifacts([run.id])).get("outcome"))
    mirror = await mirrors.opened(pushing=True)
    good = await mirror.commit_of_tag(f"v{wanted.good}")
    commit = await revert(mirror, application.branch, wanted.bad, good, wanted.message)
    async with await context.required_github() as github:
        await push(mirror, commit, wanted.branch)
        title, text = reverting.pull_request(wanted, by.name, runs.page(run.id))
        opened = await github.create_pull_request(wanted.branch, application.branch, title, text)
    detail = {"version": wanted.version, "pull request": opened.url}
    return wanted, opened, await audited.write(by, "revert", wanted.run, detail)
