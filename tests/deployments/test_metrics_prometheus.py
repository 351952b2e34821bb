"""The service's metrics as a real Prometheus with the alert rules sees them, from nothing on: no sandbox is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from fake_prefect import FakePrefect
from monitored import CLUSTERS, Board, Monitored, free_port, prometheus, running, serving, until

from clients.prefect_records import Records
from clients.releases import Releases
from clients.store import Store
from config import load
from deployments.metrics.service import MetricsService
from release.outcome import Outcome, RegionResult, Word

pytestmark = pytest.mark.slow
REGIONS = ("us-east-1", "eu-west-1")
# They say "no data" until there is something to divide by, or something under way.
ALWAYS = {
    "Deployment frequency: releases a day A",
    "Deployments that failed, a day and region A",
    "Deployments to production a day, 30 days A",
    "Incidents prevented, last 30 days A",
    "Approvals waiting A",
}


@asynccontextmanager
async def operator(database: str, prefect: FakePrefect, port: int) -> AsyncIterator[str]:
    environments = [load.environment(name) for name in load.ENVIRONMENTS]
    async with Store(database) as store, Records("http://prefect/api", transport=prefect.transport) as records:
        metrics = MetricsService(records, Releases(store), environments, every=0.2)
        async with metrics, serving(metrics.router, port) as address:
            yield address


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Monitored, int]]:
    """A Prometheus, and the port at which it looks for the service; there is no gateway."""
    port = free_port()
    server = partial(prometheus, tmp_path, f"127.0.0.1:{free_port()}", f"127.0.0.1:{port}", {})
    with running(server) as found:
        yield found, port


def ended(prefect: FakePrefect, run: str, word: Word) -> None:
    results = tuple(RegionResult(region, word, share=10) for region in REGIONS)
    made = datetime.now(UTC).isoformat()
    told = Outcome("production", word, "1.4.0", "canary", regions=results, locked=9.0, recovery=3.0, committed=(made,))
    prefect.ended(run, datetime.now(UTC), told.as_dict())


def test_it_is_quiet_from_nothing_on_and_a_failure_fires_and_clears(
    watched: tuple[Monitored, int], tmp_path: Path
) -> None:
    seen, port = watched
    prefect, database = FakePrefect(), f"sqlite:///{tmp_path / 'store.db'}"
    service, board = partial(operator, database, prefect, port), Board(seen)
    total = "sum(deployments_total)"
    with running(service):
        until(lambda: seen.value(total) == 0.0, 30, "the counters are there at 0")
        # Nobody answers for the clusters here; that alert is right. Nothing was deployed, so no other may fire.
        until(lambda: seen.value("min(tidegate_records_age_seconds)") is not None, 10, "records were read")
        assert board.look() <= ALWAYS
        assert {alert for alert, _ in seen.firing()} <= {"TidegateMetricsStale"}
        ended(prefect, "good", "released")
        until(lambda: seen.value(total) == len(REGIONS), 30, "the release is counted")
        assert ("DeploymentFailed", "production") not in seen.firing()
        ended(prefect, "bad", "recovered")
        until(lambda: ("DeploymentFailed", "production") in seen.firing(), 30, "the alert fires")
        assert "Deployment success rate, last 24 hours A" in board.look()
        success = "sum(increase(deployments_success_total[5m])) / sum(increase(deployments_total[5m]))"
        assert seen.value(success) == pytest.approx(0.5, abs=0.01)
    until(lambda: seen.value(total) is None, 30, "the service is gone")
    with running(service):
        until(lambda: seen.value(total) == 2 * len(REGIONS), 30, "nothing is lost")
        until(lambda: ("DeploymentFailed", "production") not in seen.firing(), 90, "the alert clears")
        assert seen.value("sum(resets(deployments_total[10m]))") == 0
        board.look()
    assert set(board.silent) == CLUSTERS, "these are seen in tests/flows/test_one_story.py"


def test_a_service_that_is_gone_is_said(watched: tuple[Monitored, int]) -> None:
    seen, _ = watched
    until(lambda: ("TidegateMetricsMissing", "") in seen.firing(), 60, "its absence fires")
