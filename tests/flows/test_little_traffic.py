"""The policy for applications with little traffic: half the users, a wide margin, more time, and a person at last."""

from __future__ import annotations

from typing import Any

import pytest
from desk import Desk, only, release
from look import Look, Regions

pytestmark = pytest.mark.slow
REGION = "us-east-1"
# As docs/configuration.md has it, but for the deadline, which is what one of the tests waits for.
POLICY: dict[str, Any] = {
    "canary": {"weights": [50]},
    "verdict": {"margin": 0.02, "latency": False, "step_deadline_s": 7200, "on_deadline": "hold"},
}


def canary(tag: str) -> tuple[str, ...]:
    return release(tag, *only(REGION), "--strategy", "canary")


def test_a_bad_version_is_taken_back(desk: Desk, look: Look, good: Regions, another: str) -> None:
    home = desk.variant(production=POLICY)
    desk.behave(another.removeprefix("v"), REGION, error_rate=0.3)
    result = desk.tidegate(*canary(another), home=home)
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert result.reason.startswith(f"{REGION}: ROLLBACK after ")
    look.back_on(good, REGION)


def test_too_little_to_say_is_never_promoted_and_a_person_decides(
    desk: Desk, look: Look, good: Regions, another: str
) -> None:
    home = desk.variant(production={**POLICY, "verdict": {**POLICY["verdict"], "step_deadline_s": 100}})
    desk.users(0.05)  # one a second at this speed
    with desk.start(*canary(another), home=home) as running:
        running.until("INCONCLUSIVE")
        said = "INCONCLUSIVE" + running.text.partition("INCONCLUSIVE")[2].partition("\n")[0]
        running.until(lambda: said in look.slack("incidents")[-1])
        assert "<!here>" in look.slack("incidents")[-1]
        assert "now has 100 %" not in running.text
        desk.steer("promote", "staging was watched for a day")
        result = running.end()
    assert (result.code, result.word) == (0, "released"), result.text
    assert "promoted by ada" in result.text
    assert look.live()[REGION]["version"] == another.removeprefix("v")
    assert desk.tidegate("rollback", "--reason", "the test is over", *only(REGION)).word == "released"
    assert look.digests() == good


def test_a_good_version_is_accepted_without_a_person(desk: Desk, look: Look, good: Regions, another: str) -> None:
    home = desk.variant(production=POLICY)
    desk.users(2)
    result = desk.tidegate(*canary(another), home=home)
    assert (result.code, result.word) == (0, "released"), result.text
    assert "ADVANCE" in result.text
    assert look.live()[REGION]["version"] == another.removeprefix("v")
    assert desk.tidegate("rollback", "--reason", "the test is over", *only(REGION)).word == "released"
    assert look.digests() == good
