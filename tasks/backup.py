"""The database backup before a release: asked by webhook, and believed only when its answer says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect import task

from clients import webhooks
from config import load
from tasks import context
from tasks.policy import RETRY
from tasks.say import say

_TIMEOUT = 60.0


@task(task_run_name="backup {payload[type]}", **RETRY)
async def request(payload: Mapping[str, Any], region: str | None = None) -> str | None:
    """The backup's id; None where no backup service is configured, which is said. Raises Refused or Unavailable."""
    backup = load.settings().backup
    if backup is None:
        say("no backup was made: no backup service is configured (backup.url)", region=region, warn=True)
        return None
    token = await context.secret(backup.token, "backup.token")
    made = await webhooks.request_backup(backup.url, payload, token=token, timeout=_TIMEOUT)
    say(f"backup {made.id or made.status} {'is made' if made.done else 'is on its way'}", region=region)
    return made.id
