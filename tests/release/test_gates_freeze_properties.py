"""Freeze windows against a clock that is asked minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from release.gates_freeze import FURTHEST, Freeze, freeze, frozen

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
START = datetime(2026, 1, 5)


@st.composite
def freezes(draw: st.DrawFn) -> Freeze:
    begins = START + timedelta(minutes=draw(st.integers(0, 7 * 24 * 60 - 1)))
    days = draw(st.sets(st.sampled_from(DAYS), min_size=1))
    duration = draw(st.sampled_from(["PT1H", "PT12H30M", "P1D", "P2DT16H", "P1W"]))
    rule = draw(st.sampled_from(["", f"FREQ=WEEKLY;BYDAY={','.join(sorted(days))}", "FREQ=MONTHLY;BYDAY=-1FR"]))
    return freeze("x", begins, duration, draw(st.sampled_from(ZONES)), rule)


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


@given(freezes(), MOMENTS)
def test_inside_a_window_it_stays_frozen_until_its_end_and_opens_then(one: Freeze, at: datetime) -> None:
    end = one.ends_after(at)
    if end is None:
        return
    assert end > at
    assert one.ends_after(end - timedelta(seconds=1)) is not None
    found = frozen((one,), at)
    assert found is not None
    assert found[1] >= end


@settings(max_examples=40)
@given(st.lists(freezes(), max_size=2), MOMENTS)
def test_when_it_opens_nothing_is_frozen(every: list[Freeze], at: datetime) -> None:
    found = frozen(every, at)
    # Windows that cover each other for ever never open.
    if found is not None and found[1] - at < FURTHEST:
        assert frozen(every, found[1]) is None


def test_windows_that_never_open_are_followed_for_long() -> None:
    start = datetime(2026, 1, 5)
    night, day = (freeze("x", start + timedelta(hours=h), "PT12H30M", "UTC", "FREQ=DAILY") for h in (0, 12))
    hour = freeze("x", start, "PT1H", "UTC", "FREQ=WEEKLY;BYDAY=MO")
    at = datetime(2026, 2, 1, tzinfo=UTC)
    found = frozen((hour, night, day), at)
    assert found is not None
    assert found[1] - at >= FURTHEST


@given(freezes())
def test_it_begins_at_its_own_local_time(one: Freeze) -> None:
    if not one.rule:
        begins = one.start.replace(tzinfo=ZoneInfo(one.zone)).astimezone(UTC)
        assert one.ends_after(begins) is not None
        assert one.ends_after(begins - timedelta(seconds=1)) is None
