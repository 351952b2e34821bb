"""Telling Slack, monitoring and, of commits, GitHub. What cannot be told is said in the log and fails nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Literal

from prefect import task

from clients import webhooks
from config import load
from release.errors import TidegateError
from release.outcome import Outcome
from release.versions import shown
from tasks import context, threads
from tasks.say import say

CommitState = Literal["error", "failure", "pending", "success"]


async def _told(who: str, telling: Awaitable[Any]) -> Any:
    try:
        return await telling
    except TidegateError as error:
        say(f"{who} was not told: {error}", warn=True)
        return None


@task(task_run_name="tell {channel}")
async def slack(
    channel: str,
    text: str,
    *,
    attachments: Sequence[Mapping[str, Any]] | None = None,
    username: str | None = None,
    icon: str | None = None,
) -> None:
    """One message to a channel, with attachments, name and icon where they are given."""
    await _told("Slack", post(channel, text, attachments=attachments, username=username, icon=icon))


async def post(
    channel: str,
    text: str,
    *,
    attachments: Sequence[Mapping[str, Any]] | None = None,
    username: str | None = None,
    icon: str | None = None,
) -> None:
    """As `slack`, raising what keeps it from being told. The run's first message to a channel begins its thread."""
    told = threads.current()
    if load.settings().slack.token is not None:
        await told.recall()
    begun = told.first.get(channel)
    client = await context.slack()
    message = await client.post(channel, text, attachments=attachments, username=username, icon=icon, thread=begun)
    if message is not None and begun is None:
        await told.opened(channel, message)


@task(task_run_name="status {context_name} of {commit}: {state}")
async def commit_status(commit: str, state: CommitState, context_name: str, description: str) -> None:
    """A commit's status in a context, with the run's page as its address."""

    async def tell() -> None:
        client = await context.github()
        if client is not None:
            async with client as github:
                page = context.run_url()
                await github.commit_status(
                    commit, state, context=context_name, description=description, target_url=page
                )

    await _told("GitHub", tell())


@task(task_run_name="tell monitoring")
async def monitoring(event: str, outcome: Outcome, at: str) -> None:
    """`{event, version, strategy, timestamp}` to the monitoring webhook, as its dashboards expect it."""
    webhook = load.settings().monitoring.webhook
    if webhook is None:
        return
    payload = {"event": event, "version": shown(outcome.version), "strategy": outcome.strategy, "timestamp": at}
    await _told("Monitoring", webhooks.post_json(webhook, payload, token=None, timeout=10))
