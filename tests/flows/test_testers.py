"""A tester's header reaches the new version at any weight, and nobody else does before he is meant to."""

from __future__ import annotations

import time
from collections import Counter

import httpx
import pytest
from desk import Desk, only, release
from look import Look, Regions
from test_rollback import weights

from config import load
from release.traffic import TESTER_HEADER

pytestmark = pytest.mark.slow
REGION = "us-east-1"


def versions(number: int, slot: str | None = None) -> Counter[str]:
    """The versions that so many requests reached; None stands for no version at all."""
    headers = {TESTER_HEADER: slot} if slot else {}
    address = load.environment("production").regions[REGION].address
    with httpx.Client(headers=headers, timeout=5, trust_env=False) as client:
        answers = [client.get(address) for _ in range(number)]
    return Counter(answer.json()["version"] if answer.is_success else str(answer.status_code) for answer in answers)


def test_a_tester_reaches_the_new_version_at_any_weight(desk: Desk, look: Look, good: Regions, another: str) -> None:
    old, new = look.live()[REGION]["version"], another.removeprefix("v")
    live, idle = ("blue", "green") if weights(look, REGION)[0] == 100 else ("green", "blue")
    desk.users(5)
    with desk.start(*release(another, *only(REGION), "--strategy", "canary")) as running:
        running.until(f"{REGION}: shop-{idle} is being upgraded")
        desk.steer("hold")
        running.until(f"{REGION}: held by ada")
        running.until(lambda: set(versions(1, idle)) == {new})
        assert weights(look, REGION)[0 if idle == "blue" else 1] == 0
        assert versions(50, idle) == {new: 50}
        assert versions(100) == {old: 100}, "nobody else sees it"
        desk.steer("resume")
        running.until(f"{REGION}: {idle} now has 10 %")
        desk.steer("hold")
        time.sleep(1)
        assert versions(50, idle) == {new: 50}
        assert versions(50, live) == {old: 50}
        few = versions(200)
        assert set(few) == {old, new}
        assert 0 < few[new] < 60, "about a tenth"
        desk.steer("abort", "the test is over")
        result = running.end()
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert "aborted by ada: the test is over" in result.reason
    look.back_on(good)
    assert versions(50) == {old: 50}
