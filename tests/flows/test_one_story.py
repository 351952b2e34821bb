"""A canary that is taken back while the operator service is killed: the board, in a browser too, `/metrics`, the
dashboard's panels and the alerts of a real Prometheus tell what `tidegate status`, `helm list` and the Prefect UI tell,
meanwhile and afterwards; and the release is one trace."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import ask
import pytest
from collector import Collector, collecting
from desk import Desk, release
from images import made
from look import Look
from monitored import CLUSTERS, Board, Monitored, quick_rules, until
from visitor import LABELS, REGION, Series, Service, Window, series

from config import load
from sandbox import state
from tasks import context

pytestmark = pytest.mark.slow
SPLIT = {f"{share}/{100 - share}" for share in (10, 25, 50, 75, 90)}
WHOLE = {"100/0", "0/100"}
FAILED = ("DeploymentFailed", "production")
ROW = f"#region-production-{REGION}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A sandbox of its own on which v1.4.0 is live, with a Prometheus and the alert rules, whose minutes are short."""
    found = Desk(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("scratch"))
    options = ("--prometheus", "--rules", str(quick_rules(found.scratch)), "--speed", "20", "--regions", "1")
    try:
        up = found.tidegate("sandbox", "up", *options, "--users", "1", timeout=1200)
        assert up.code == 0, up.text
        found.released("v1.4.0")
        yield found
    finally:
        found.tidegate("sandbox", "down", "--purge")


class Story:
    """The service, who looks at it, and `what` is under way; `stack` ends them."""

    def __init__(self, desk: Desk, look: Look, what: str, stack: ExitStack) -> None:
        found = state.read(desk.home)
        assert found is not None
        self.desk, self.look, self.what, self._stack = desk, look, what, stack
        self.seen = Monitored(next(part.address for part in found.parts if part.name == "prometheus"))
        self.service, self._board = Service(desk), Board(self.seen)
        self.serve()
        self.window = stack.enter_context(Window(self.service.address))

    def serve(self) -> None:
        """Start the service; `serving` is its process."""
        self.serving = self._stack.enter_context(self.desk.start("serve"))
        until(self.service.answers, 90, "it serves")

    def panels_of_clusters(self) -> bool:
        """Whether those of the dashboard that need a release under way have given data."""
        self._board.look()
        return not [title for title in self._board.silent if title in CLUSTERS and "in flight" in title]

    def every_panel_of_clusters(self) -> bool:
        """Whether all that need clusters have; the others are seen in tests/deployments/test_metrics_prometheus.py."""
        self._board.look()
        return not set(self._board.silent) & CLUSTERS

    def agree(self, weights: set[str]) -> None:
        """Returns when all tell the same: the weights, which are among those, and what is under way."""
        service, told = self.service, []

        def same() -> bool:
            split, held = status = service.status()
            told[:] = status, service.weights(), service.canary(), service.board()
            card = f"{self.what}, canary" if self.what else ""
            expected = [status, split if self.what else "", bool(self.what), (split, card)]
            return told == expected and held == self.what and split in weights and service.status() == status

        try:
            until(same, 60, "they agree")
        except AssertionError:
            raise AssertionError(f"they do not agree: {told}") from None


def listed(place: str) -> dict[str, str]:
    """`helm list`: release -> status."""
    region = load.environment("production").regions[place]

    async def ask() -> dict[str, str]:
        return {one.name: one.status for one in await (await context.helm()).list(context.place(region))}

    return asyncio.run(ask())


def risen(before: dict[Series, float], after: dict[Series, float]) -> dict[Series, float]:
    """By how much each counter rose. None is gone, and none is lower."""
    assert not set(before) - set(after), "no series is lost"
    rose = {one: after[one] - value for one, value in before.items() if after[one] != value}
    assert all(value > 0 for value in rose.values()), rose
    return rose


def while_held(story: Story, before: dict[Series, float]) -> None:
    """Everything tells of the canary, also after the service was killed and started."""
    story.window.shows(ROW, "10 %")
    story.agree(SPLIT)
    assert set(listed(REGION).values()) == {"deployed"} and len(listed(REGION)) == 2, "both slots are there"
    assert story.look.run(ask.whole(story.desk.under_way()))["state"]["name"] == "Running"
    until(story.panels_of_clusters, 30, "the panels on what is under way give data")
    story.serving.kill()
    until(lambda: not story.seen.ask("deployments_total"), 30, "Prometheus misses it")
    story.serve()
    assert not risen(before, story.service.counters())
    story.agree(SPLIT)


def traced(collector: Collector, region: str) -> None:
    """The release was one trace: its run, the region's, its steps, and the calls of outside systems in them."""
    assert len({span.trace_id for span in collector.spans}) == 1
    paths = [collector.path(span) for span in collector.spans]
    [root] = {path[0] for path in paths}
    assert root.endswith(" by ada")
    inside = [path[1:] for path in paths if len(path) > 3 and path[1] == region]
    assert any(path[-1] == "helm upgrade" and path[-2].startswith(f"{region}: upgrade ") for path in inside), inside
    assert any(path[-1] == "kubernetes PATCH" and path[-2].startswith(f"{region}: weight of ") for path in inside)
    told = {"pipeline": "production", "strategy": "canary", "outcome": "recovered"}
    assert ("tidegate.release.duration", told) in collector.points


def test_everything_tells_one_story_of_a_canary_that_is_taken_back(desk: Desk, look: Look) -> None:
    helm, served = listed(REGION), look.digests()
    artifact = made(desk)
    tag = f"v{artifact.version}"
    with ExitStack() as stack:
        story = Story(desk, look, f"production {tag}", stack)
        seen, service = story.seen, story.service
        until(lambda: seen.value("count(deployments_total)") is not None, 30, "it is scraped")
        assert FAILED not in seen.firing()
        before, many = service.counters(), seen.value("count(deployments_total)")
        collector = stack.enter_context(collecting())
        traced_to = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        bad = stack.enter_context(desk.start(*release(tag, "--strategy", "canary"), more=traced_to))
        bad.until("now has 10 %")
        # With users enough it is good, and would go on; so it stays where it is.
        desk.users(5.0)
        desk.steer("hold", "to be looked at")
        while_held(story, before)
        assert bad.process.poll() is None, bad.text
        desk.steer("resume")
        desk.behave(artifact.version, REGION, error_rate=0.5)
        desk.users(20.0)
        result = bad.end()
        assert (result.code, result.word) == (3, "recovered"), result.text
        until(lambda: FAILED in seen.firing(), 30, "the alert fires")
        until(story.every_panel_of_clusters, 30, "every panel on clusters gave data")
        rose = risen(before, service.counters())
        assert rose[series("deployments_total", **LABELS)] == rose[series("deployments_failed_total", **LABELS)] == 1
        ended = {"pipeline": "production", "environment": "production"}
        runs = {one: value for one, value in rose.items() if one[0] == "tidegate_runs_total"}
        assert runs == {series("tidegate_runs_total", **ended, outcome="recovered"): 1}
        story.what = ""
        story.agree(WHOLE)
        assert listed(REGION) == helm
        look.back_on(served, REGION)
        run = look.run(result.outcome["run"])
        assert run["state"]["name"] == "Recovered"
        assert artifact.version in service.get("/history?outcome=recovered")
        story.window.shows("#past tbody tr", "recovered")
        story.window.shows("#headline.good", "v1.4.0")
        traced(collector, REGION)
        until(lambda: FAILED not in seen.firing(), 60, "the alert clears")
        assert seen.value("sum(resets(deployments_total[10m]))") == 0
        assert seen.value("count(deployments_total)") == many
        assert seen.value('max(tidegate_lock_held{environment="production"})') == 0
