"""After a version was taken back: what it did to users, and that it does not come again by itself."""

from __future__ import annotations

import asyncio

from flows.conclude import Draft
from release.model import Artifact
from release.quarantine import Harm
from tasks import metrics, quarantine
from tasks.lock import Grip


async def harm_done(draft: Draft, grip: Grip, bad: Artifact) -> None:
    """Count what users met in each region that went back, and quarantine a version that is to blame. What cannot be
    counted or written is told; the recovery stands."""

    async def one(region: str, share: int) -> Harm:
        seconds = draft.exposure(region)
        place, provider = grip.environment.regions[region], grip.environment.judged.provider
        counts = await metrics.met(place, provider, seconds)
        if counts is None:
            return Harm(region, seconds, share)
        return Harm(region, seconds, share, counts.errors, counts.requests)

    back = [one for one in draft.outcome.regions if one.outcome == "recovered"]
    harm = tuple(await asyncio.gather(*(one(result.region, result.share) for result in back)))
    draft.learn(harm=harm)
    if draft.condemned:
        draft.learn(quarantined=await quarantine.put(bad, draft.outcome.reason, grip.me.who, harm))
