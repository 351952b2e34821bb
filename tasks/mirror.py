"""The mirror of the application's repository, and what lets git in to it. Without Prefect: commands that only look use
it, too."""

from __future__ import annotations

from clients.address import at_github
from clients.git import Repository
from clients.gitcommand import Credential
from config import load
from tasks import context


async def opened(*, pushing: bool = False) -> Repository:
    """The mirror, brought up to date. Raises what `Repository.open` does."""
    application, folder = load.settings().application, context.work("mirrors")
    credential = await _credential(pushing)
    return await Repository.open(application.git, folder / f"{application.name}.git", credential=credential)


async def _credential(pushing: bool) -> Credential | None:
    """A token of the App's installation. The configured token only pushes; else git's own means let it in."""
    settings = load.settings()
    if not at_github(settings.application.git, settings.github.url) or (settings.github.app is None and not pushing):
        return None
    client = await context.github()
    if client is None:
        return None
    async with client as github:
        return Credential("x-access-token", await github.git_token(), github.setting)
