"""A canary's weights on the board: where it is, since when, how long each usually lasts, and which are to come."""

from __future__ import annotations

from dataclasses import replace

import pytest
from board_world import NOW, RUN, canary, region, slot, under_way

from release import shifts
from release.board import fold
from release.board_releases import RECOVERING
from release.board_seen import Pace, Seen, SeenPart
from release.board_steps import StepView
from release.model import RegionState
from release.shifts import Shift

PLACE = "us-east-1"
WEIGHTS = (10, 25, 50, 100)
DROPPED = "dropped to 1 % while it is under suspicion"


def rows(found: Seen) -> list[StepView]:
    return [step for step in fold(found).releases[0].steps if step.within]


def told(found: Seen) -> list[tuple[str, str, float | None, float | None]]:
    return [(one.name, one.stage, one.began, one.spent) for one in rows(found)]


def shifted(found: Seen, *pairs: tuple[int, float], part: SeenPart | None = None) -> Seen:
    """With a canary that got weights so many seconds ago."""
    run = found.runs[RUN]
    given = tuple(Shift(PLACE, "green", weight, NOW - ago) for weight, ago in pairs)
    parts = (replace(part or run.parts[0], shifts=given), *run.parts[1:])
    return replace(found, runs={RUN: replace(run, parts=parts)})


def standing(found: Seen, state: RegionState) -> Seen:
    return replace(found, regions=(replace(found.regions[0], state=state), *found.regions[1:]))


def test_a_canary_shows_where_it_is_since_when_and_what_is_to_come() -> None:
    assert told(under_way()) == [
        ("10 %", "done", NOW - 100, 60.0),
        ("25 %", "running", NOW - 40, None),
        ("50 %", "waiting", None, None),
        ("100 %", "waiting", None, None),
    ]
    steps = fold(under_way()).releases[0].steps
    assert [one.name for one in steps[2:8]] == [PLACE, "10 %", "25 %", "50 %", "100 %", "eu-west-1"]
    assert {one.within for one in steps[3:7]} == {PLACE}


def test_a_weight_usually_lasts_as_it_did_and_else_as_long_as_the_settings_say() -> None:
    assert [(one.expected, one.least) for one in rows(under_way())] == [
        (62.0, False), (71.0, False), (30.0, True), (9.0, False),
    ]  # fmt: skip
    nothing = replace(under_way(), paces={RUN: Pace()})
    assert [(one.expected, one.least) for one in rows(nothing)] == [*[(30.0, True)] * 3, (None, False)]


def test_a_region_before_its_canary_has_users_has_all_of_them_to_come() -> None:
    found = standing(shifted(under_way()), canary(0))
    assert [(name, stage) for name, stage, *_ in told(found)] == [(f"{one} %", "waiting") for one in WEIGHTS]


def test_only_a_region_under_way_or_failed_shows_weights() -> None:
    done = SeenPart(PLACE, "done", NOW - 130, NOW - 5)
    assert rows(shifted(under_way(), (10, 100), (25, 50), (50, 30), (100, 9), part=done)) == []
    other = under_way()
    assert rows(replace(other, runs={RUN: replace(other.runs[RUN], weights=())})) == [], "no canary"
    first = region(slot("blue", "1.5.0"), None, (100, 0), None)
    assert rows(standing(shifted(other), first)) == [], "a first version is rolled out in place"
    assert rows(replace(other, regions=())) == [], "nobody saw yet what is there"


def test_a_canary_that_turned_bad_shows_at_which_weight_and_nothing_to_come() -> None:
    failed = SeenPart(PLACE, "failed", NOW - 130, NOW - 20)
    found = shifted(under_way(f"{RECOVERING}9 % of requests fail"), (10, 100), (25, 40), part=failed)
    wanted = [("10 %", "done", NOW - 100, 60.0), ("25 %", "failed", NOW - 40, 20.0)]
    assert told(found) == wanted
    assert told(standing(found, canary(0))) == wanted, "its users have left meanwhile"
    assert told(standing(shifted(found, part=failed), canary(0))) == [], "it never had users"
    going = under_way(f"{RECOVERING}eu-west-1: 9 % of requests fail")
    assert [one.stage for one in rows(going)] == ["done", "running"], "it is stopped with the others"


def test_a_canary_that_was_dropped_is_still_at_its_step() -> None:
    found = standing(shifted(under_way(), (10, 100), (25, 40), (1, 12)), canary(1))
    assert [(one.name, one.stage, one.began, one.detail) for one in rows(found)[:2]] == [
        ("10 %", "done", NOW - 100, ""),
        ("25 %", "running", NOW - 40, DROPPED),
    ]
    back = shifted(found, (10, 100), (25, 40), (1, 12), (25, 3))
    assert [(one.began, one.detail) for one in rows(back)[1:2]] == [(NOW - 40, "")]


def test_what_the_cluster_has_is_believed_before_prefect_tells_it() -> None:
    found = standing(shifted(under_way(), (10, 100)), canary(25))
    assert told(found)[:2] == [("10 %", "done", NOW - 100, None), ("25 %", "running", None, None)]
    taken_over = standing(shifted(under_way()), canary(50))
    assert [stage for _, stage, *_ in told(taken_over)] == ["done", "done", "running", "waiting"]
    assert all(not one.detail for one in rows(found))


def test_at_all_users_it_is_recorded_and_checked() -> None:
    live = region(slot("blue", "1.4.0"), slot("green", "1.5.0"), (0, 100), ("1.5.0", "green"))
    found = standing(shifted(under_way(), (10, 100), (25, 60), (50, 30), (100, 9)), live)
    assert told(found)[2:] == [("50 %", "done", NOW - 30, 21.0), ("100 %", "running", NOW - 9, None)]


def test_users_that_another_release_left_are_taken_off_first() -> None:
    before = (Shift(PLACE, "green", 25, 1.0), Shift(PLACE, "blue", 100, 2.0), Shift(PLACE, "green", 10, 3.0))
    assert shifts.reached(before, WEIGHTS) == {10: 3.0}
    assert shifts.reached(before[:2], WEIGHTS) == {}
    assert shifts.reached((*before, Shift(PLACE, "green", 0, 4.0)), WEIGHTS) == {}
    assert shifts.reached((*before, Shift(PLACE, "blue", 25, 4.0)), WEIGHTS) == {25: 4.0}
    assert shifts.reached((Shift(PLACE, "green", 33, 1.0),), WEIGHTS) == {}


def test_how_long_it_was_at_each_weight() -> None:
    found = [Shift(PLACE, "green", weight, at) for weight, at in ((50, 90.0), (10, 0.0), (25, 40.0), (100, 120.0))]
    assert shifts.took(shifts.reached(found, WEIGHTS), 130.0) == {10: 40.0, 25: 50.0, 50: 30.0, 100: 10.0}
    assert shifts.took(shifts.reached(found[:1], WEIGHTS), 130.0) == {50: 40.0}, "a run before it had the others"
    assert shifts.took(shifts.reached([], WEIGHTS), 130.0) == {}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("us-east-1: weight of green 25", Shift(PLACE, "green", 25, 7.0)),
        ("us-east-1: weight of red 25", None),
        ("us-east-1: chart test", None),
        ("us-east-1: weight of green 25 %", None),
    ],
)
def test_a_step_is_known_by_its_name(name: str, found: Shift | None) -> None:
    assert shifts.of_step(name, 7.0) == found
