"""Who hears of a production release's end, whichever pipeline it was."""

from __future__ import annotations

from config import load
from release import messages
from release.outcome import Outcome
from tasks import clock, notify


async def tell_production(actor: str, outcome: Outcome) -> None:
    """Monitoring, and #releases or #incidents; nobody where nothing was started or changed."""
    if outcome.word in ("refused", "unchanged"):
        return
    event = "deployment_success" if outcome.good else "deployment_failure"
    await notify.monitoring(event, outcome, clock.now())
    if outcome.good:
        await notify.slack("releases", messages.released(outcome, actor))
    else:
        on_call = load.settings().slack.on_call
        await notify.slack("incidents", messages.incident(outcome, actor, on_call))
