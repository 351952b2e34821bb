"""Who hears of a production release's end, whichever pipeline it was."""

from __future__ import annotations

from config import load
from release import messages, tables
from release.outcome import Outcome
from tasks import clock, notify, pictures, threads


async def tell_production(actor: str, outcome: Outcome) -> None:
    """Monitoring, and #releases or #incidents; nobody where nothing was started or changed."""
    if outcome.word in ("refused", "unchanged"):
        return
    event = "deployment_success" if outcome.good else "deployment_failure"
    await notify.monitoring(event, outcome, clock.now())
    told, table = threads.current(), tables.plain(outcome.regions)
    if outcome.good:
        channel, text = "releases", messages.released(outcome, actor)
        told.edit(channel, text)
    else:
        channel, text = "incidents", messages.incident(outcome, actor, load.settings().slack.on_call)
        told.edit("releases", messages.given_up(outcome, actor))
    await notify.slack(channel, f"{text}\n{table}".rstrip())
    await pictures.verdicts(channel)
