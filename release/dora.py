"""DORA's five measures of software delivery, by their published definitions (dora.dev/guides/dora-metrics).

change lead time        from a change's commit to version control until it is deployed in production
deployment frequency    deployments to production over a period
failed deployment recovery time
                        the time to recover from a deployment that fails and needs immediate intervention
change fail rate        the share of deployments that need immediate intervention, as a rollback or a hotfix
deployment rework rate  the share of deployments that were not planned but made because of an incident in production

docs/metrics.md says what counts as what here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

# Deployments that are made because something in production is wrong.
_REMEDIES = frozenset({"hotfix", "rollback", "guard"})
# What they bring live was live before: a remedy that follows is for the same incident.
_BACK = frozenset({"rollback", "guard"})
# One that crashed is among what was found only where it had begun in a region.
_DEPLOYED = frozenset({"released", "recovered", "halted", "crashed"})
_LEFT = frozenset({"halted", "crashed"})


@dataclass(frozen=True, slots=True)
class Deployment:
    """A production run that has ended. `recovery` is the seconds of its own way back, 0 without one."""

    pipeline: str
    outcome: str
    ended: datetime
    recovery: float = 0.0
    committed: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Measures:
    """The five measures over `days`; None where there is nothing to measure. Times in seconds, rates from 0 to 1.

    `deployments` reached production, `failed` of them needed an intervention, `rework` were unplanned. Lead time and
    recovery time are medians.
    """

    days: float
    deployments: int
    failed: int
    rework: int
    per_day: float
    lead_time: float | None
    fail_rate: float | None
    recovery_time: float | None
    rework_rate: float | None


def measures(found: Iterable[Deployment], since: datetime, until: datetime) -> Measures:
    """The measures of what ended from `since` until before `until`.

    `found` may hold what came before and after: a deployment is failed also when its remedy came later.
    """
    runs = sorted((one for one in found if one.outcome in _DEPLOYED and one.ended < until), key=lambda one: one.ended)
    times = _recoveries(runs)
    here = [(index, one) for index, one in enumerate(runs) if one.ended >= since]
    failed = [index for index, _ in here if index in times]
    healed = [seconds for index in failed if (seconds := times[index]) is not None]
    leads = [
        (one.ended - made).total_seconds() for _, one in here if one.outcome == "released" for made in one.committed
    ]
    rework = sum(one.pipeline in _REMEDIES for _, one in here)
    days = (until - since) / timedelta(days=1)
    count = len(here)
    return Measures(
        days=days,
        deployments=count,
        failed=len(failed),
        rework=rework,
        per_day=count / days if days > 0 else 0.0,
        lead_time=median(leads) if leads else None,
        fail_rate=len(failed) / count if count else None,
        recovery_time=median(healed) if healed else None,
        rework_rate=rework / count if count else None,
    )


def _recoveries(runs: Sequence[Deployment]) -> dict[int, float | None]:
    """Index of each failed deployment -> the seconds until production was well again, None while it is not.

    One that was taken back by itself recovered within its own run. One that was halted or killed, or was live when a
    rollback or a hotfix followed, recovered when that remedy was live; a halted or killed one also by the next good
    release.
    """
    found: dict[int, float | None] = {}
    live: int | None = None
    waiting: list[int] = []
    for index, one in enumerate(runs):
        if one.outcome == "recovered" and one.pipeline != "guard":
            found[index] = one.recovery
            continue
        if one.outcome in _LEFT:
            found[index] = None
            waiting.append(index)
            continue
        if one.pipeline in _REMEDIES and not waiting and live is not None and runs[live].pipeline not in _BACK:
            waiting = [live]
        for each in waiting:
            found[each] = (one.ended - runs[each].ended).total_seconds()
        waiting, live = [], index
    return found
