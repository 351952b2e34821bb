"""Who hears of a production release's end, whichever pipeline it was."""

from __future__ import annotations

from config import load
from release import messages
from release.outcome import Outcome
from tasks import clock, notify, threads


async def tell_production(actor: str, outcome: Outcome) -> None:
    """Monitoring, and #releases or #incidents; nobody where nothing was started or changed."""
    if outcome.word in ("refused", "unchanged"):
        return
    event = "deployment_success" if outcome.good else "deployment_failure"
    await notify.monitoring(event, outcome, clock.now())
    told = threads.current()
    if outcome.good:
        text = messages.released(outcome, actor)
        told.edit("releases", text)
        await notify.slack("releases", text)
    else:
        told.edit("releases", messages.given_up(outcome, actor))
        on_call = load.settings().slack.on_call
        await notify.slack("incidents", messages.incident(outcome, actor, on_call))
