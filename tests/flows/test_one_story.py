"""A canary that is taken back while the operator service is killed: the board, `/metrics` and the alerts of a real
Prometheus tell what `tidegate status`, `helm list` and the Prefect UI tell, meanwhile and afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from desk import Desk, release
from images import made
from look import Look
from monitored import Monitored, quick_rules, until
from visitor import LABELS, REGION, Series, Service, series

from config import load
from sandbox import state
from tasks import context

pytestmark = pytest.mark.slow
SPLIT = {f"{share}/{100 - share}" for share in (10, 25, 50, 75, 90)}
WHOLE = {"100/0", "0/100"}
FAILED = ("DeploymentFailed", "production")


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


def agree(service: Service, weights: set[str], what: str) -> None:
    """Returns when all tell the same: the weights, which are among those, and what is under way."""
    told: list[object] = []

    def same() -> bool:
        split, held = status = service.status()
        told[:] = status, service.weights(), service.canary(), service.board()
        card = f"{what}, canary" if what else ""
        expected = [status, split if what else "", bool(what), (split, card)]
        return told == expected and held == what and split in weights and service.status() == status

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


def test_everything_tells_one_story_of_a_canary_that_is_taken_back(desk: Desk, look: Look) -> None:
    found = state.read(desk.home)
    assert found is not None
    seen = Monitored(next(part.address for part in found.parts if part.name == "prometheus"))
    service, helm, served = Service(desk), listed(REGION), look.digests()
    artifact = made(desk)
    tag, what = f"v{artifact.version}", f"production v{artifact.version}"
    with ExitStack() as stack:
        first = stack.enter_context(desk.start("serve"))
        until(service.answers, 90, "it serves")
        until(lambda: seen.value("count(deployments_total)") is not None, 30, "it is scraped")
        assert FAILED not in seen.firing()
        before, many = service.counters(), seen.value("count(deployments_total)")
        bad = stack.enter_context(desk.start(*release(tag, "--strategy", "canary")))
        bad.until("now has 10 %", 120)
        # With users enough it is good, and would go on; so it stays where it is.
        desk.users(5.0)
        desk.steer("hold", "to be looked at")
        agree(service, SPLIT, what)
        first.kill()
        until(lambda: not seen.ask("deployments_total"), 30, "Prometheus misses it")
        stack.enter_context(desk.start("serve"))
        until(service.answers, 90, "it serves again")
        assert bad.process.poll() is None, bad.text
        assert not risen(before, service.counters())
        agree(service, SPLIT, what)
        desk.steer("resume")
        desk.behave(artifact.version, REGION, error_rate=0.5)
        desk.users(20.0)
        result = bad.end()
        assert (result.code, result.word) == (3, "recovered"), result.text
        until(lambda: FAILED in seen.firing(), 30, "the alert fires")
        rose = risen(before, service.counters())
        assert rose[series("deployments_total", **LABELS)] == rose[series("deployments_failed_total", **LABELS)] == 1
        ended = {"pipeline": "production", "environment": "production"}
        runs = {one: value for one, value in rose.items() if one[0] == "tidegate_runs_total"}
        assert runs == {series("tidegate_runs_total", **ended, outcome="recovered"): 1}
        agree(service, WHOLE, "")
        assert listed(REGION) == helm
        look.back_on(served, REGION)
        run = look.run(result.outcome["run"])
        assert run["state"]["name"] == "Recovered"
        assert artifact.version in service.get("/history?outcome=recovered")
        until(lambda: FAILED not in seen.firing(), 60, "the alert clears")
        assert seen.value("sum(resets(deployments_total[10m]))") == 0
        assert seen.value("count(deployments_total)") == many
        assert seen.value('max(tidegate_lock_held{environment="production"})') == 0
