"""Pictures of what a release's verdicts saw, in its thread in Slack."""

from __future__ import annotations

import asyncio

from prefect import task

from clients.drawing import png
from release.errors import TidegateError
from release.verdict import chart, record
from tasks import context, threads
from tasks.say import say

# Regions whose verdict took the release back come first; the others' are on Prefect's pages.
MOST = 6


@task(task_run_name="pictures to {channel}")
async def verdicts(channel: str) -> None:
    """The charts of this run's verdicts, where a bot began a thread in the channel and this machine judged.

    An incoming webhook takes no pictures. What cannot be shown is said and fails nothing.
    """
    message = threads.current().first.get(channel)
    if message is None:
        return
    try:
        found = await asyncio.to_thread(_drawn, context.run_id())
        if found:
            await (await context.slack()).show(channel, message, found)
    except TidegateError as error:
        say(f"Slack was not shown the verdict: {error}", warn=True)


def _drawn(run: str) -> dict[str, bytes]:
    stored = []
    for path in sorted(context.work("runs", run).glob("verdict-*.jsonl")):
        try:
            stored.append(record.load(path.read_text()))
        except (OSError, ValueError):
            continue
    stored.sort(key=lambda one: not one.given.startswith("ROLLBACK"))
    return {one.title: png(chart.draw(one.policy, one.entries, one.title, chart.PLAIN)) for one in stored[:MOST]}
