from __future__ import annotations

import pytest

from release import steering
from release.errors import Refused
from release.steering import Order


def given(*words: str) -> steering.Steering:
    return steering.steering([steering.order(word, "ana", "because", n) for n, word in enumerate(words)])


def test_the_latest_of_hold_and_resume_counts() -> None:
    assert given("hold").held is not None
    assert given("hold", "resume").held is None
    assert given("hold", "resume", "hold").held is not None
    assert given("hold", "promote").held is None


def test_an_abort_stands_for_good_and_ends_a_hold() -> None:
    found = given("hold", "abort", "hold", "resume")
    assert found.held is None and found.aborted is not None and found.aborted.reason == "because"


def test_a_promotion_is_remembered_with_its_person() -> None:
    assert given("promote").promoted == Order("promote", "ana", "because", 0)


@pytest.mark.parametrize(
    ("what", "who", "reason", "field"),
    [("stop", "ana", "x", "order"), ("hold", " ", "x", "who"), ("abort", "ana", " ", "reason")],
)
def test_an_order_has_a_word_a_person_and_for_an_abort_a_reason(what: str, who: str, reason: str, field: str) -> None:
    with pytest.raises(Refused) as raised:
        steering.order(what, who, reason, 0)
    assert raised.value.field == field
