"""An outside system that fails for a while fails no release; who is only told fails none at all."""

from __future__ import annotations

import pytest
from desk import PODS, Desk, only, release
from look import Look, Regions

from sandbox.shop.fastimport import git

pytestmark = pytest.mark.slow
SECONDS = 5.0


@pytest.mark.parametrize(("mode", "moment"), [("refused", "wave: eu-west-1"), ("cut", "eu-west-1: shop-blue is being")])
def test_a_region_whose_api_is_away_for_a_while_is_released_all_the_same(
    desk: Desk, look: Look, another: str, mode: str, moment: str
) -> None:
    with desk.start(*release(another)) as running:
        running.until(moment)
        desk.fault("kubernetes", mode, "eu-west-1", SECONDS)
        result = running.end()
    assert (result.code, result.word) == (0, "released"), result.text
    desk.calm()
    assert {(one["version"], one["ready"]) for one in look.live().values()} == {(another.removeprefix("v"), PODS)}


def test_who_is_only_told_fails_no_release(desk: Desk, look: Look, another: str) -> None:
    with desk.start(*release(another)) as running:
        # Before that, the check that the team was told would refuse it.
        running.until("wave: us-east-1")
        desk.fault("slack", "down")
        desk.fault("github", "500")
        desk.fault("monitoring-webhook", "refused")
        result = running.end()
    assert (result.code, result.word) == (0, "released"), result.text
    for who in ("Slack", "GitHub", "Monitoring"):
        assert f"{who} was not told" in result.text
    assert {one["version"] for one in look.live().values()} == {another.removeprefix("v")}


def test_githubs_rate_limit_leaves_no_deployment_in_progress(desk: Desk, look: Look, another: str) -> None:
    with desk.start(*release(another)) as running:
        running.until("us-east-1: shop-blue is being")
        desk.fault("github", "429")
        running.until("GitHub was not told")
        desk.calm()
        result = running.end()
    assert (result.code, result.word) == (0, "released"), result.text
    assert "its rate limit is reached" in result.text
    commit = git(desk.bare, "rev-parse", another + "^{commit}").strip()
    ended = {name: states[-1] for name, states in look.deployments(commit).items() if name.startswith("production")}
    assert ended == {f"production-{region}": "success" for region in look.live()}


def test_who_is_only_told_fails_no_way_back(desk: Desk, look: Look, good: Regions, another: str) -> None:
    desk.behave(another.removeprefix("v"), "us-east-1", crashes=True)
    with desk.start(*release(another, *only("us-east-1"))) as running:
        running.until("wave: us-east-1")
        desk.fault("slack", "500")
        desk.fault("github", "refused")
        result = running.end()
    assert (result.code, result.word) == (3, "recovered"), result.text
    look.back_on(good, "us-east-1")


def test_the_locks_region_that_is_away_keeps_no_release_from_going_back(
    desk: Desk, look: Look, good: Regions, another: str
) -> None:
    desk.behave(another.removeprefix("v"), "eu-west-1", crashes=True)
    with desk.start(*release(another, *only("us-east-1", "eu-west-1"))) as running:
        running.until("wave: eu-west-1")
        desk.fault("kubernetes", "refused", "us-east-1")
        running.until("the lock does not say yet that the release goes back")
        desk.calm()
        result = running.end()
    assert (result.code, result.word) == (3, "recovered"), result.text
    look.back_on(good, "us-east-1", "eu-west-1")
