"""A canary that is taken back, as a real Prometheus with the alert rules and the dashboard sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from desk import Desk, release
from look import Look, Regions
from monitored import Board, Monitored, prometheus, running, until

from config import load

pytestmark = pytest.mark.slow


@pytest.fixture
def seen(desk: Desk, look: Look, good: Regions, tmp_path: Path) -> Iterator[Monitored]:
    """A Prometheus on the sandbox's gateway and on the address of the operator service."""
    port, monitoring = load.settings().service.port, load.settings().monitoring.url
    assert monitoring is not None
    regions = {region: name for name in load.ENVIRONMENTS for region in load.environment(name).regions}
    server = partial(prometheus, tmp_path, urlsplit(monitoring).netloc, f"127.0.0.1:{port}", regions)
    with running(server) as found:
        yield found


def failed(seen: Monitored) -> float:
    return seen.value("sum(deployments_failed_total)") or 0.0


def test_a_release_is_seen_under_way_and_its_failure_fires_and_clears(desk: Desk, look: Look, seen: Monitored) -> None:
    watched, board = seen, Board(seen)
    version, _ = desk.add_version({"error-rate": ",".join(f"{region}=0.1" for region in look.live())})
    with ExitStack() as stack:
        first = stack.enter_context(desk.start("serve"))
        until(lambda: watched.value("sum(deployments_total)") is not None, 30, "the service is scraped")
        board.look()
        before = failed(watched)
        assert ("DeploymentFailed", "production") not in watched.firing()
        staged = desk.tidegate("stage", f"v{version}")
        assert staged.word == "released", staged.text
        until(lambda: (watched.value("sum(increase(deployments_success_total[1m]))") or 0) > 0, 30, "it is counted")
        board.look()
        bad = stack.enter_context(desk.start(*release(f"v{version}", "--strategy", "canary")))
        under_way = 'deployment_duration_seconds{environment="production", strategy="canary"}'
        until(lambda: bool(watched.ask(under_way)), 120, bad.text)
        board.look()
        until(lambda: bool(watched.ask("tidegate_verdict_evidence")), 90, "its evidence is seen")
        board.look()
        counted = watched.value("sum(deployments_total)")
        # The service is killed in mid-release, and started again.
        first.kill()
        stack.enter_context(desk.start("serve"))
        until(lambda: watched.value("sum(deployments_total)") is not None, 30, "it is scraped again")
        assert (watched.value("sum(deployments_total)") or 0) >= (counted or 0)
        result = bad.end()
        assert result.word == "recovered", result.text
        regions = sum(word == "recovered" for word in result.regions().values())
        until(lambda: failed(watched) == before + regions, 30, "the failure is counted")
        until(lambda: ("DeploymentFailed", "production") in watched.firing(), 30, "the alert fires")
        board.look()
        until(lambda: ("DeploymentFailed", "production") not in watched.firing(), 90, "the alert clears")
        assert watched.value("sum(resets(deployments_total[10m]))") == 0
        assert not watched.ask("deployment_duration_seconds")
        assert watched.value('max(tidegate_lock_held{environment="production"})') == 0
    assert not board.silent, "these panels never had data"
