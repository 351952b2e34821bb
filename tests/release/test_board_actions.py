"""What can be done from the board, and what is said before it is done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from board_world import NOW, RUN, approval, canary, seen, steady, under_way

from release.board import fold
from release.board_actions import plan
from release.board_releases import RECOVERING
from release.errors import Refused
from release.steering import Order


def test_an_order_says_what_happens_to_which_release() -> None:
    board = fold(under_way())
    found = plan(board, "abort", RUN)
    assert found.title == "Abort production v1.5.0"
    assert "goes back to the version that was live before" in found.will
    assert ("Canary", "us-east-1 25 %") in found.facts
    assert found.needs_reason and found.danger and not found.needs_code
    assert not plan(board, "hold", RUN).needs_reason


def test_an_order_means_the_same_release_whatever_its_weight_is_by_now() -> None:
    then, now = (plan(fold(under_way(weight=weight)), "hold", RUN).fingerprint for weight in (10, 50))
    assert then == now
    assert then != plan(fold(under_way()), "abort", RUN).fingerprint


@pytest.mark.parametrize(
    "note_or_orders", [{"note": f"{RECOVERING}it was bad"}, {"orders": [Order("abort", "bob", "wrong", NOW)]}]
)
def test_what_is_taken_back_already_takes_no_orders(note_or_orders: dict[str, object]) -> None:
    with pytest.raises(Refused):
        plan(fold(under_way(**note_or_orders)), "abort", RUN)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("action", "subject"), [("abort", "nobody"), ("explode", RUN), ("rollback", "staging"), ("approve", "none")]
)
def test_what_cannot_be_is_refused(action: str, subject: str) -> None:
    with pytest.raises(Refused) as caught:
        plan(fold(under_way()), action, subject)
    assert caught.value.next_step


def test_a_rollback_says_from_what_to_what_and_is_not_offered_beside_a_release() -> None:
    found = plan(fold(seen()), "rollback", "production")
    assert ("us-east-1", "v1.4.0 → v1.3.0") in found.facts
    changed = plan(fold(seen({"us-east-1": steady("1.5.0")})), "rollback", "production")
    assert changed.fingerprint != found.fingerprint
    with pytest.raises(Refused) as caught:
        plan(fold(under_way()), "rollback", "production")
    assert "abort it instead" in caught.value.what
    first = seen(dict.fromkeys(("us-east-1", "eu-west-1", "ap-southeast-1"), canary(0)))
    with pytest.raises(Refused):
        plan(fold(first), "rollback", "production")


def test_an_approval_binds_what_was_shown() -> None:
    one = approval()
    board = fold(seen(approvals=(one,)))
    found = plan(board, "approve", one.run)
    assert found.needs_code and not found.danger
    assert ("Still missing", "1 of 2 approvals") in found.facts
    other = fold(seen(approvals=(replace(one, live=("us-east-1 v1.5.0",)),)))
    assert plan(other, "approve", one.run).fingerprint != found.fingerprint
    assert plan(board, "reject", one.run).needs_reason
