"""The rollback window: how long it is open, and what closes it before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from preparation import NEW, OLD, WANT, record, region

from release import window
from release.locking import Held, Holder
from release.strategy import is_live

AT = "2026-11-23T09:00:00Z"  # when the versions of `preparation` went live


def held(what: str, renewed: float = 1000.0) -> Held:
    return Held(Holder("run", "ada", what), renewed, renewed, 60.0)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-11-23T09:00:00Z", "2026-11-23T09:30:00Z"),
        ("2026-11-23T09:29:59Z", "2026-11-23T09:30:00Z"),
        ("2026-11-23T09:30:00Z", None),
        ("2026-11-24T09:00:00Z", None),
    ],
)
def test_it_is_open_for_its_length_from_when_the_version_went_live(now: str, end: str | None):
    assert window.of_region(region(OLD), 1800, now) == end


def test_without_length_or_live_version_it_is_never_open():
    assert window.of_region(region(OLD), 0, AT) is None
    assert window.of_region(region(None), 1800, AT) is None


def test_what_is_live_is_alone_from_when_it_went_live_until_another_slot_has_users():
    state = region(OLD)
    assert window.alone(state, "2026-11-23T09:10:00Z") == 600
    assert window.alone(state, "2026-11-23T08:59:00Z") == 0
    assert state.route is not None
    shared = replace(state, route=replace(state.route, blue=90, green=10))
    assert window.alone(shared, "2026-11-23T09:10:00Z") == 0
    assert window.alone(region(None), AT) == 0


def test_what_is_left_is_never_negative():
    assert window.left("2026-11-23T09:30:00Z", "2026-11-23T09:29:30Z") == 30
    assert window.left("2026-11-23T09:30:00Z", "2026-11-23T10:00:00Z") == 0


def test_the_last_of_several_counts():
    assert window.last([None, "2026-11-23T09:30:00Z", "2026-11-23T09:31:00Z"]) == "2026-11-23T09:31:00Z"
    assert window.last([None]) == ""


def test_the_same_version_under_nobody_s_lock_is_still_watched():
    assert window.overtaken(record(OLD), region(OLD), None, 1000.0) == ""
    assert window.overtaken(record(OLD), region(OLD), held("retire in production"), 1000.0) == ""
    assert window.overtaken(record(OLD), region(OLD), held("production v1.5.0"), 1062.0) == "", "a dead run's lock"


@pytest.mark.parametrize("what", ["production v1.5.0", "hotfix v1.4.1", "rollback", "guard v1.4.0"])
def test_another_release_ends_it(what: str):
    assert window.overtaken(record(OLD), region(OLD), held(what), 1030.0) == f"{what} began"


def test_another_version_ends_it():
    assert window.overtaken(record(OLD), region(NEW), None, 1000.0) == "v1.5.0 went live"
    assert window.overtaken(record(OLD), region(None), None, 1000.0) == "nothing is recorded live any more"
    other = replace(OLD, digest="sha256:" + "9" * 64)
    assert window.overtaken(record(OLD), region(other), None, 1000.0)


def test_what_is_taken_back_is_what_went_live_whatever_the_values_are_by_now():
    live, today = record(OLD), replace(WANT, artifact=OLD, config="the values of today")
    assert not is_live(live, today)
    assert is_live(live, window.bad(today, live))
