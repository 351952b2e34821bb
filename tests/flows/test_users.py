"""Whatever is released or taken back, users see no error that the version itself does not make.

All versions here stop answering at SIGTERM, as applications do that know nothing of graceful ends.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from counted import failures, requests
from desk import PODS, TEN, Desk, release
from look import Look

pytestmark = pytest.mark.slow
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")
STRATEGIES = ("rolling", "blue-green", "canary")
ABRUPT = {"stops-at-sigterm": "true"}
# Times the speed: enough for a canary's verdict within half a minute.
CROWD = 10
# After the run's end the last pods are ending still: their pause, and the gateway's lag.
TAIL_S = 8


@pytest.fixture(scope="module")
def abrupt(desk: Desk) -> Iterator[tuple[str, str]]:
    """Two good versions, staged; the first is live everywhere, with ten pods in each region."""
    first, second = (f"v{desk.add_version(ABRUPT)[0]}" for _ in range(2))
    desk.stage(first)
    desk.stage(second)
    desk.change(desk.home, production=TEN)
    try:
        desk.released(first)
        yield first, second
    finally:
        desk.change(desk.home, production={"replicas": PODS})


@pytest.fixture
def live(look: Look, abrupt: tuple[str, str]) -> str:
    """The one of them that is live in every region."""
    (version,) = {one["version"] for one in look.live().values()}
    assert f"v{version}" in abrupt
    return f"v{version}"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_users_see_no_error_of_a_good_release(
    desk: Desk, look: Look, abrupt: tuple[str, str], live: str, strategy: str
) -> None:
    tag = next(tag for tag in abrupt if tag != live)
    desk.users(CROWD)
    before = requests("us-east-1")
    with failures() as failed:
        result = desk.tidegate(*release(tag, "--strategy", strategy))
        assert (result.code, result.word) == (0, "released"), result.text
        time.sleep(TAIL_S)
    assert failed == {region: {} for region in REGIONS}, result.text
    assert requests("us-east-1") - before > 1000
    assert look.digests() == dict.fromkeys(REGIONS, (desk.stage(tag).outcome["digest"], 10))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_users_see_no_error_of_a_release_that_is_taken_back(
    desk: Desk, look: Look, abrupt: tuple[str, str], live: str, strategy: str
) -> None:
    """It is bad in the second wave, so that the first region has gone all the way and comes all the way back."""
    tag, good = next(tag for tag in abrupt if tag != live), look.digests()
    # A canary is judged by its users; it is slow, which is no error. The others crash before they have any.
    fault = {"latency": 1.5} if strategy == "canary" else {"crashes": True}
    desk.behave(tag.removeprefix("v"), "eu-west-1", **fault)
    desk.users(CROWD)
    with failures() as failed:
        result = desk.tidegate(*release(tag, "--strategy", strategy))
        assert (result.code, result.word) == (3, "recovered"), result.text
        time.sleep(TAIL_S)
    assert failed == {region: {} for region in REGIONS}, result.text
    assert ("latency" in result.reason) == (strategy == "canary"), result.reason
    assert result.regions()["us-east-1"] == "recovered"
    look.back_on(good)


def test_users_see_no_error_but_the_version_s_own(desk: Desk, look: Look, abrupt: tuple[str, str], live: str) -> None:
    """Those that a canary makes are its own, all on its slot; going back adds none."""
    tag, good = next(tag for tag in abrupt if tag != live), look.digests()
    desk.behave(tag.removeprefix("v"), "us-east-1", error_rate=0.2)
    desk.users(CROWD)
    with failures() as failed:
        result = desk.tidegate(*release(tag, "--strategy", "canary"))
        assert (result.code, result.word) == (3, "recovered"), result.text
        time.sleep(TAIL_S)
    (made,) = failed.pop("us-east-1").items()
    assert made[0][1] == "500"
    assert made[0][0].startswith("production-us-east-1-shop-"), "the application answered it, not the gateway"
    assert failed == {region: {} for region in REGIONS[1:]}
    look.back_on(good)
