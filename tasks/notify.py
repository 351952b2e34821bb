"""Telling GitHub, Slack and monitoring. What cannot be told is said in the log and fails nothing."""

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

State = Literal["in_progress", "success", "failure", "error", "inactive"]
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


@task(task_run_name="GitHub deployment {environment}")
async def start_deployment(ref: str, environment: str, description: str, payload: Mapping[str, Any]) -> int | None:
    """Start a GitHub deployment and set it in progress; its number, or None when GitHub was not told."""

    async def start() -> int | None:
        client = await context.github()
        if client is None:
            return None
        async with client as github:
            production = environment.startswith("production")
            return await github.create_deployment(ref, environment, description, production=production, payload=payload)

    number: int | None = await _told("GitHub", start())
    if number is not None:
        await _status(number, "in_progress", description, "")
    return number


@task(task_run_name="GitHub deployment {number}: {state}")
async def finish_deployment(number: int | None, state: State, description: str, address: str) -> None:
    """End a GitHub deployment with its address."""
    if number is not None:
        await _status(number, state, description, address)


@task(task_run_name="GitHub deployment {environment} of run {run}")
async def settle_deployment(ref: str, environment: str, run: str, description: str, address: str) -> None:
    """End with success what a dead run left in progress, if it did."""
    for number in await _told("GitHub", _find(ref, environment, {"run": run}, "in_progress")) or ():
        await _status(number, "success", description, address)


@task(task_run_name="GitHub deployment {environment}: taken back")
async def retire_deployments(ref: str, environment: str, digest: str, description: str) -> None:
    """Set inactive what a version that was taken back left there, whichever run brought it.

    GitHub does so by itself after a later success, but never in a production environment.
    """
    for number in await _told("GitHub", _find(ref, environment, {"digest": digest}, "in_progress", "success")) or ():
        await _status(number, "inactive", description, "")


async def _find(ref: str, environment: str, payload: Mapping[str, str], *states: str) -> list[int]:
    """The deployments of a commit with that in their payload which are in one of the states."""
    client = await context.github()
    if client is None:
        return []
    async with client as github:
        found = [
            one for one in await github.deployments(environment, ref=ref) if payload.items() <= one.payload.items()
        ]
        return [one.id for one in found if await github.deployment_state(one.id) in states]


async def _status(number: int, state: State, description: str, address: str) -> None:
    async def tell() -> None:
        client = await context.github()
        if client is not None:
            async with client as github:
                await github.deployment_status(
                    number, state, description=description[:140], environment_url=address, log_url=context.run_url()
                )

    await _told("GitHub", tell())


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
