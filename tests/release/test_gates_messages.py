"""What is told of a release at its gates, and what is refused before anything is done."""

from __future__ import annotations

import pytest

from release import gates_messages as told
from release.errors import Refused
from release.gates import Gates, Request, judge
from release.gates_votes import Bound
from release.people import Person

PEOPLE = {name: Person(name, frozenset({"approve"})) for name in ("ada", "bob")}
LIVE = {"us": ("1.4.0", "sha256:old"), "eu": ("", "")}
BOUND = Bound("production of shop", "sha256:0123456789abcdef", "canary", ("us", "eu"), LIVE)
REQUEST = Request("ada", True, 1000.0, BOUND, True)


def test_what_is_approved_is_one_line() -> None:
    line = told.subject(REQUEST, "1.5.0")
    assert line == "v1.5.0 (sha256:0123456789ab) to us, eu, canary, over nothing and v1.4.0"


def test_the_message_says_who_asked_for_what_and_how_to_approve() -> None:
    standing = judge(Gates(1, 60.0), REQUEST, (), PEOPLE, 1001.0)
    text = told.ask(REQUEST, standing, "1.5.0", "3f2a0000-1111", "http://prefect/runs/3f2a")
    for part in (
        "production of shop, v1.5.0, waits: 1 person must approve",
        "ada",
        "tidegate approve 3f2a0000",
        "http",
    ):
        assert part in text
    assert told.rows(standing.gates)[2] == {
        "gate": "approvals",
        "stands": "waiting",
        "what": "1 person must approve: nobody has yet",
    }


def test_the_form_says_what_was_wrong_with_the_last_answer() -> None:
    standing = judge(Gates(1), REQUEST, (), PEOPLE, 1001.0)
    assert told.form(REQUEST, standing, "1.5.0", "the code is wrong.").startswith(
        "The last answer was refused: the code"
    )


@pytest.mark.parametrize(
    ("policy", "store", "broken", "says"),
    [
        (Gates(1), False, False, "no database"),
        (Gates(3), True, False, "3 people must approve, and 2 of `people` may"),
        (Gates(), False, True, "no database"),
        (Gates(), True, True, "1 person must approve, and 0 of `people` may"),
    ],
)
def test_gates_that_could_never_open_are_refused_at_once(policy: Gates, store: bool, broken: bool, says: str) -> None:
    with pytest.raises(Refused, match=says):
        told.require_possible(policy, PEOPLE, store=store, broken=broken)


def test_gates_without_approvals_need_neither_people_nor_database() -> None:
    told.require_possible(Gates(0, 300.0), {}, store=False)
    told.require_possible(Gates(2), PEOPLE, store=True)


def test_the_requester_is_not_among_those_who_could() -> None:
    with pytest.raises(Refused, match="2 people must approve, and 1 besides ada may"):
        told.require_enough(Gates(2), REQUEST, PEOPLE)
    told.require_enough(Gates(1), REQUEST, PEOPLE)


def test_a_plan_is_told_why_its_gates_could_never_open() -> None:
    ((what, step),) = told.impossible(Gates(1), REQUEST, PEOPLE, store=False)
    assert what.startswith("approvals: ") and "no database" in what and "tidegate.yaml" in step
    ((what, _),) = told.impossible(Gates(2), REQUEST, PEOPLE, store=True)
    assert "1 besides ada may" in what
    assert told.impossible(Gates(1), REQUEST, PEOPLE, store=True) == ()
