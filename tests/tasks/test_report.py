"""The report, read from a table of finished releases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clients.releases import Releases
from clients.store import Store
from release import dora_report
from release.finished import Finished, FinishedRegion
from tasks.report import measured


async def test_this_period_is_told_beside_the_one_before(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    async with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        table = Releases(store)
        await table.add([past(now, 1), past(now, 9), past(now, 10, "recovered", recovery=30.0), past(now, 40)])
        found = await measured(table, 7)
    assert (found.now.deployments, found.before.deployments) == (1, 2)
    assert (found.now.fail_rate, found.before.fail_rate, found.before.recovery_time) == (0.0, 0.5, 30.0)
    assert ("Change fail rate", "0%", "50%") in dora_report.rows(found)
    assert found.until - found.since == timedelta(days=7)


async def test_a_killed_run_counts_where_it_had_begun_in_a_region(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    killed, earlier = past(now, 2, "crashed"), replace(past(now, 3, "crashed"), regions=())
    async with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        table = Releases(store)
        await table.add([killed, earlier, past(now, 1)])
        found = await measured(table, 7)
    assert (found.now.deployments, found.now.failed) == (2, 1)
    assert found.now.recovery_time == 86400.0, "until the next good release"


def past(now: datetime, days: int, outcome: str = "released", recovery: float = 0.0) -> Finished:
    ended = now - timedelta(days=days)
    return Finished(
        f"run-{days}",
        1,
        "production",
        "production",
        "canary",
        outcome,
        ended,
        ended,
        recovery=recovery,
        regions=(FinishedRegion("us-east-1", "success", outcome),),
    )
