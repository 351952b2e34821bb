"""The board: what a person is told first, and what each part of it says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from board_world import (
    BEFORE,
    NOW,
    REGIONS,
    RUN,
    approval,
    artifact,
    canary,
    held,
    region,
    seen,
    slot,
    steady,
    under_way,
)

from release.board import Board, fold
from release.board_releases import RECOVERING
from release.board_seen import Past, Seen, SeenFreeze, SeenLock, SeenPart, SeenRun
from release.model import RegionState
from release.steering import Order


def lead(found: Seen) -> tuple[str, str]:
    headline = fold(found).headline
    return headline.tone, headline.lead


def row(board: Board, name: str = "us-east-1") -> tuple[str, str]:
    found = next(one for each in board.environments for one in each.regions if one.region == name)
    return found.tone, found.note


def test_where_all_is_well_it_says_what_users_have() -> None:
    assert lead(seen()) == ("good", "production: v1.4.0 is live in all 3 regions.")
    assert fold(seen()).headline.lines == ()


def test_without_anything_it_says_so_and_invents_no_alarm() -> None:
    assert lead(Seen(NOW)) == ("none", "No environment is configured.")
    empty = seen(dict.fromkeys((*REGIONS, "staging", "development")), past=(), count=0)
    assert lead(empty) == ("good", "production: nothing is live.")
    nothing = region(None, None, (0, 0), None)
    assert row(fold(seen({"us-east-1": nothing}))) == ("none", "nothing is live yet")


def test_different_versions_are_counted() -> None:
    assert lead(seen({"us-east-1": steady("1.5.0")})) == ("good", "production: v1.4.0 in 2, v1.5.0 in 1 of 3 regions.")


@pytest.mark.parametrize(
    ("state", "tone", "note"),
    [
        (steady(ready=0), "bad", "no pod of the live version is Ready"),
        (steady(ready=8), "warn", "8 of 10 pods are Ready"),
        (canary(25), "warn", "users are split and no release is under way"),
        (region(slot("blue", "1.5.0"), None, (100, 0), ("1.4.0", "blue")), "bad",
         "the Ready pods are not what was recorded: 0 of 10 Ready pods have the recorded digest"),
        (region(slot("blue", "1.5.0"), None, (100, 0), None), "warn", "nothing was ever verified here"),
        (steady(), "good", ""),
    ],
)  # fmt: skip
def test_what_is_not_as_it_should_be_is_said_in_its_row_and_first(state: RegionState, tone: str, note: str) -> None:
    found = seen({"us-east-1": state})
    assert row(fold(found)) == (tone, note)
    if note:
        assert lead(found) == (tone, f"production us-east-1: {note}")
        line = fold(found).headline.lines[-1]
        assert line.text.startswith("production: ")


def test_the_same_trouble_in_many_regions_is_one_line() -> None:
    found = seen(dict.fromkeys(REGIONS, steady(ready=0)))
    assert lead(found) == (
        "bad",
        "production us-east-1, eu-west-1, ap-southeast-1: no pod of the live version is Ready",
    )


def test_a_region_that_does_not_answer_is_an_alarm_and_keeps_what_was_seen() -> None:
    found = seen()
    silent = replace(found.regions[0], problem="the API server does not answer.", at=NOW - 5)
    board = fold(replace(found, regions=(silent, *found.regions[1:])))
    assert row(board)[0] == "bad"
    assert "not seen since" in row(board)[1] and "the API server does not answer" in row(board)[1]
    assert board.environments[0].regions[0].version == "1.4.0"
    stale = replace(found.regions[0], at=NOW - 60)
    assert row(fold(replace(found, regions=(stale, *found.regions[1:]))))[0] == "bad"


def test_a_release_that_goes_its_way_is_no_alarm() -> None:
    board = fold(under_way())
    assert (board.headline.tone, board.headline.lead) == (
        "busy",
        "production v1.5.0: under way, users are split in us-east-1",
    )
    assert row(board) == ("busy", "users are split")
    assert board.headline.lines[-1].text == "production: v1.4.0 is live in all 3 regions."


def test_a_release_shows_its_steps_with_the_time_they_took_and_should_take() -> None:
    one = fold(under_way()).releases[0]
    assert one.expected == 80 + 240 + 240
    assert [(step.name, step.stage, step.spent, step.expected) for step in one.steps if not step.within] == [
        ("checks and approvals", "done", 10.0, 12.0),
        ("preparation", "done", 60.0, 55.0),
        ("us-east-1", "running", None, 240.0),
        ("eu-west-1", "waiting", None, 240.0),
        ("ap-southeast-1", "waiting", None, 240.0),
    ]
    assert one.steps[2].detail == "weight 25: judged"
    assert [course.weight for course in one.courses] == [25]


def test_a_release_before_its_regions_is_preparing() -> None:
    found = under_way()
    run = replace(found.runs[RUN], parts=(), pipeline="staging")
    steps = fold(replace(found, runs={RUN: run})).releases[0].steps
    assert [(step.name, step.stage) for step in steps[:3]] == [
        ("tests and build", "done"),
        ("preparation", "running"),
        ("us-east-1", "waiting"),
    ]


def test_going_back_is_an_alarm_and_regions_that_never_began_are_left_out() -> None:
    found = under_way(f"{RECOVERING}us-east-1: 9 % of requests fail")
    parts = (SeenPart("us-east-1", "failed", NOW - 130, NOW - 20), SeenPart("", "running", NOW - 19, line="going back"))
    found = replace(found, runs={RUN: replace(found.runs[RUN], parts=parts)})
    board = fold(found)
    assert board.headline.tone == "bad"
    assert board.headline.lead == "production v1.5.0 is being taken back: us-east-1: 9 % of requests fail"
    assert [
        (step.name, step.stage, step.spent, step.expected) for step in board.releases[0].steps if not step.within
    ] == [
        ("checks and approvals", "done", 10.0, 12.0),
        ("preparation", "done", 60.0, 55.0),
        ("us-east-1", "failed", 110.0, 240.0),
        ("taking it back", "running", None, 45.0),
    ]


def test_pods_that_are_replaced_in_place_are_a_releases_work_and_else_an_alarm() -> None:
    mixed = replace(slot("blue", "1.4.0"), pods=slot("blue", "1.5.0").pods[:4] + slot("blue", "1.4.0").pods[4:])
    state = region(mixed, None, (100, 0), ("1.4.0", "blue"))
    assert row(fold(seen({"us-east-1": state})))[0] == "bad"
    found = replace(seen({"us-east-1": state}), locks=(SeenLock("production", held(), NOW),))
    text = "is replaced in place: 6 of 10 Ready pods have the recorded digest"
    assert row(fold(found)) == ("busy", text)


@pytest.mark.parametrize(
    ("orders", "state"),
    [
        ([Order("hold", "bob", "let us look", NOW)], "held by bob: let us look"),
        ([Order("hold", "bob", "", NOW), Order("resume", "eve", "", NOW)], "under way"),
        ([Order("hold", "bob", "", NOW), Order("abort", "eve", "wrong one", NOW)], "aborted by eve: wrong one"),
    ],
)
def test_orders_are_shown_with_who_gave_them(orders: list[Order], state: str) -> None:
    one = fold(under_way(orders=orders)).releases[0]
    assert one.state == state
    assert len(one.orders) == len(orders)


def test_a_dead_run_that_holds_the_lock_is_an_alarm() -> None:
    found = replace(under_way(), locks=(SeenLock("production", held(renewed=NOW - 300), NOW),))
    board = fold(found)
    assert board.headline.tone == "bad"
    assert "its run is dead" in board.headline.lead
    assert row(board)[0] == "warn", "nobody works on the split any more"


def test_an_approval_that_waits_says_what_is_still_needed() -> None:
    assert lead(seen(approvals=(approval(),))) == ("warn", "production v1.6.0: 1 person must still approve")
    timer = approval(0, reason="20 min are left of the wait of 30 min")
    assert lead(seen(approvals=(timer,))) == ("busy", "production v1.6.0: 20 min are left of the wait of 30 min")


def test_an_environment_stays_halted_until_a_release_brings_it_out() -> None:
    halted = Past("9", "production", "production", "1.5.0", "canary", "halted", "ada", NOW - 60, reason="no way back.")
    found = seen(deployed={"production": halted})
    assert lead(found) == ("bad", "production is HALTED, a person must decide: no way back.")
    assert fold(found).environments[0].halted == halted
    after = replace(halted, run="11", outcome="released", reason="")
    assert lead(seen(past=(halted,), deployed={"production": after}))[0] == "good"
    assert fold(replace(under_way(), deployed={"production": halted})).environments[0].halted is None, (
        "somebody is at it"
    )


def test_a_freeze_is_told_while_it_lasts_and_what_is_silent_is_said() -> None:
    freeze = SeenFreeze("production", "weekend", NOW - 10, NOW + 10)
    assert lead(seen(freezes=(freeze,))) == ("warn", "production is frozen: weekend")
    ahead = replace(freeze, begins=NOW + 5)
    assert lead(seen(freezes=(ahead,)))[0] == "good"
    assert fold(seen(freezes=(ahead,))).freezes == (ahead,)
    assert lead(seen(silent={"Prefect": "timed out."})) == ("warn", "Prefect does not answer: timed out.")


def test_who_made_a_version_live_comes_from_the_past() -> None:
    board = fold(seen())
    assert board.actors[board.environments[0].regions[0].run] == "ada"
    assert board.environments[0].regions[0].run == BEFORE
    assert board.environments[0].regions[0].digest == artifact("1.4.0").digest


def test_64_regions_are_one_look() -> None:
    base = seen()
    many = tuple(replace(base.regions[0], region=f"r{one:02}") for one in range(64))
    bad = tuple(replace(one, state=steady(ready=0)) if one.region < "r06" else one for one in many)
    assert lead(replace(base, regions=many)) == ("good", "production: v1.4.0 is live in all 64 regions.")
    board = fold(replace(base, regions=bad))
    assert board.environments[0].live == "v1.4.0 is live in all 64 regions, 6 in trouble"
    told = lead(replace(base, regions=bad))[1]
    assert told == "production r00, r01, r02, r03 and 2 more: no pod of the live version is Ready"


def test_regions_that_are_not_well_are_at_the_top_and_the_others_keep_their_places() -> None:
    base = seen()
    states = {"r02": canary(25), "r40": steady(ready=8), "r63": steady(ready=0)}
    many = tuple(
        replace(base.regions[0], region=f"r{one:02}", state=states.get(f"r{one:02}", steady())) for one in range(64)
    )
    rows = [row.region for row in fold(replace(base, regions=many)).environments[0].regions]
    assert rows[:4] == ["r63", "r02", "r40", "r00"]
    assert rows[4:] == sorted(rows[4:]) and len(rows) == 64


def test_a_run_that_is_not_known_to_prefect_is_still_shown() -> None:
    found = replace(under_way(), runs={}, paces={}, courses=())
    one = fold(found).releases[0]
    assert (one.what, one.steps, one.expected) == ("production v1.5.0", (), None)
    assert SeenRun(RUN).waves == ()
