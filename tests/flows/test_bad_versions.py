"""A version that is bad in its own way is told by its own reason, at once, and taken back everywhere."""

from __future__ import annotations

from datetime import datetime

import ask
import images
import look as looking
import pytest
from desk import PODS, Desk, Result, only, release
from look import Look, Regions

from release.model import Artifact
from sandbox.shop.fastimport import git

pytestmark = pytest.mark.slow
# The fault is in the second of these, which is in a later wave than the first.
REGIONS = ("us-east-1", "eu-west-1")
AT_ONCE_S = 10


@pytest.fixture(scope="module")
def candidate(desk: Desk) -> str:
    """A version that staging verified, with a way back: what is wrong with it comes from each test."""
    desk.released("v1.4.0")
    version, _ = desk.add_version()
    desk.stage(f"v{version}")
    return version


@pytest.fixture
def began() -> datetime:
    return looking.now()


def told_at_once(look: Look, result: Result, region: str, began: datetime) -> None:
    """The region's run ended soon after Kubernetes itself told the failure."""
    runs = look.subflows(result.outcome["run"])
    failed = runs[region]
    assert failed["state_type"] == "FAILED"
    seconds = (looking.moment(failed["end_time"]) - look.warned(f"production-{region}", began)).total_seconds()
    assert seconds < AT_ONCE_S, f"told after {seconds} s"


def went_back(look: Look, result: Result, good: Regions, regions: tuple[str, ...]) -> None:
    """These regions were changed and are back, last changed first; users see what they saw before."""
    assert (result.code, result.word) == (3, "recovered"), result.text
    back = [region for region, outcome in result.regions().items() if outcome == "recovered"]
    assert tuple(back) == tuple(reversed(regions))
    look.back_on(good, *regions)
    assert look.run(result.outcome["run"])["state"]["name"] == "Recovered"


def test_a_crash_is_told_with_its_exit_code(
    desk: Desk, look: Look, good: Regions, candidate: str, began: datetime
) -> None:
    desk.behave(candidate, "eu-west-1", crashes=True, crash_code=42)
    result = desk.tidegate("release", f"v{candidate}", *only(*REGIONS))
    assert result.reason.startswith("eu-west-1: CrashLoopBackOff: shop-blue-")
    assert "exit code 42" in result.reason
    assert "the run's artifact pods-eu-west-1" in result.outcome["next_step"]
    kept = look.markdown("pods-eu-west-1", look.subflows(result.outcome["run"])["eu-west-1"]["id"])
    assert "last exit code 42" in kept
    assert "BackOff" in kept, "their events too"
    (told,) = ask.failures(git(desk.bare, "rev-parse", f"v{candidate}^{{commit}}").strip())
    assert told == result.reason.removeprefix("eu-west-1: ")[:140], "what happened, without its place and what is next"
    told_at_once(look, result, "eu-west-1", began)
    went_back(look, result, good, REGIONS)


def test_a_refused_readiness_is_told(desk: Desk, look: Look, good: Regions, candidate: str, began: datetime) -> None:
    desk.behave(candidate, "eu-west-1", never_ready=True)
    result = desk.tidegate("release", f"v{candidate}", *only(*REGIONS))
    assert result.reason.startswith("eu-west-1: NotReady: shop-blue-")
    assert "refuses readiness" in result.reason
    told_at_once(look, result, "eu-west-1", began)
    went_back(look, result, good, REGIONS)


def test_pods_that_find_no_node_are_told(
    desk: Desk, look: Look, good: Regions, candidate: str, began: datetime
) -> None:
    home = desk.variant(production={"values": {"resources": {"requests": {"cpu": "900"}}}})
    result = desk.tidegate("release", f"v{candidate}", *only(*REGIONS), home=home)
    assert result.reason.startswith("us-east-1: Unschedulable: shop-blue-")
    assert "Insufficient cpu" in result.reason
    told_at_once(look, result, "us-east-1", began)
    went_back(look, result, good, REGIONS[:1])


def test_an_exceeded_quota_is_told(desk: Desk, look: Look, good: Regions, candidate: str, began: datetime) -> None:
    look.limit_pods("production-eu-west-1", PODS)
    try:
        result = desk.tidegate("release", f"v{candidate}", *only(*REGIONS))
    finally:
        look.limit_pods("production-eu-west-1", None)
    assert result.reason.startswith("eu-west-1: FailedCreate: ")
    assert "exceeds the namespace's quota" in result.reason
    told_at_once(look, result, "eu-west-1", began)
    went_back(look, result, good, REGIONS)


def test_an_image_that_cannot_be_pulled_is_told_by_name(desk: Desk, look: Look, good: Regions, began: datetime) -> None:
    version, commit = desk.add_version()
    digest = images.push(f"staging-{version}", images.of_version(version, commit))
    images.verify(Artifact(version, digest, commit))
    images.push(f"v{version}", images.of_version(version, commit))
    images.lose(digest)
    result = desk.tidegate("release", f"v{version}", *only(*REGIONS))
    assert result.reason.startswith("us-east-1: ImagePullBackOff: shop-blue-")
    assert f"/shop@{digest}" in result.reason
    told_at_once(look, result, "us-east-1", began)
    went_back(look, result, good, REGIONS[:1])


def test_the_wrong_image_under_the_right_tag_fails_the_smoke_test(desk: Desk, look: Look, good: Regions) -> None:
    wrong = images.made(desk, says="0.0.1")
    result = desk.tidegate("release", f"v{wrong.version}", *only(*REGIONS))
    assert result.reason.startswith("us-east-1: smoke-production failed")
    assert "0.0.1" in result.reason
    went_back(look, result, good, REGIONS[:1])


def test_a_wrong_selector_fails_the_chart_test(desk: Desk, look: Look, good: Regions, another: str) -> None:
    context = "production-us-east-1"
    wrong = '{"spec": {"selector": {"app.kubernetes.io/name": "shopp"}}}'
    look.kubectl("patch", "service", "shop-blue", "-p", wrong, context=context)
    try:
        result = desk.tidegate(*release(another, *only(*REGIONS)))
    finally:
        right = '{"spec": {"selector": {"app.kubernetes.io/name": "shop"}}}'
        look.kubectl("patch", "service", "shop-blue", "-p", right, context=context)
    assert (result.code, result.word) == (4, "halted"), result.text
    assert result.reason.startswith("us-east-1: chart test: ")
    assert "gave no good answer in 10 probes: status 503" in result.reason
    assert result.outcome["next_step"].startswith("A person must decide")
    assert look.digests() == good
    assert "HALTED" in look.slack("incidents")[-1]
    desk.released("v1.4.0")
