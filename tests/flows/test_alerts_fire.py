"""A canary that is taken back, as a real Prometheus with the alert rules and the dashboard sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from desk import Desk, release
from look import Look, Regions
from monitored import MONITORING, Monitored, free_port, operator, prometheus, running, until

pytestmark = pytest.mark.slow
BOARD = json.loads((MONITORING / "dashboard.json").read_text())


@pytest.fixture
def seen(desk: Desk, look: Look, good: Regions, tmp_path: Path) -> Iterator[tuple[Monitored, int]]:
    """A Prometheus on the sandbox's service, and the service's port: it can be started again."""
    port = free_port()
    with running(partial(prometheus, tmp_path, f"127.0.0.1:{port}")) as found:
        yield found, port


def expressions() -> dict[str, str]:
    """Title -> expression of every panel and annotation, with the variables of "All"."""
    found = {one["name"]: one["expr"] for one in BOARD["annotations"]["list"]}
    for panel in BOARD["panels"]:
        for target in panel["targets"]:
            found[f"{panel['title']} {target['refId']}"] = target["expr"]
    variables = {"$environment": ".*", "$region": ".*", "$__range": "1h", "$__rate_interval": "30s"}
    return {title: _filled(expression, variables) for title, expression in found.items()}


def _filled(expression: str, variables: dict[str, str]) -> str:
    for name, value in variables.items():
        expression = expression.replace(name, value)
    return re.sub(r"\[(24h|1d|7d|30d)\]", "[1h]", expression)


class Board:
    """Every expression of the dashboard, asked again and again: which ever gave data."""

    def __init__(self, prometheus: Monitored) -> None:
        self._prometheus = prometheus
        self.silent = expressions()

    def look(self) -> None:
        for title, expression in list(self.silent.items()):
            numbers = [float(one["value"][1]) for one in self._prometheus.ask(expression)]
            assert all(number == number and abs(number) != float("inf") for number in numbers), (title, numbers)
            if numbers:
                del self.silent[title]


def failed(seen: Monitored) -> float:
    return seen.value("sum(deployments_failed_total)") or 0.0


def test_a_release_is_seen_under_way_and_its_failure_fires_and_clears(
    desk: Desk, look: Look, seen: tuple[Monitored, int]
) -> None:
    watched, port = seen
    board, service = Board(watched), partial(operator, port)
    version, _ = desk.add_version({"error-rate": ",".join(f"{region}=0.3" for region in look.live())})
    with ExitStack() as stack:
        first = stack.enter_context(ExitStack())
        first.enter_context(running(service))
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
        # The service ends in mid-release, and is started again.
        first.close()
        stack.enter_context(running(service))
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
