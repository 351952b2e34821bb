"""DORA's five measures, and the report that tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from release import dora_report
from release.dora import Deployment, measures

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = (MONDAY, MONDAY + timedelta(days=7))


def run(hours: float, pipeline: str = "production", outcome: str = "released", **facts: object) -> Deployment:
    return Deployment(pipeline, outcome, MONDAY + timedelta(hours=hours), **facts)  # type: ignore[arg-type]


def test_without_deployments_nothing_is_divided() -> None:
    found = measures([], *WEEK)
    assert (found.deployments, found.per_day) == (0, 0.0)
    assert (found.lead_time, found.fail_rate, found.recovery_time, found.rework_rate) == (None, None, None, None)


def test_frequency_counts_what_reached_production() -> None:
    found = measures(
        [run(1), run(2, outcome="refused"), run(3, outcome="failed"), run(4), run(5, outcome="unchanged")], *WEEK
    )
    assert (found.deployments, found.per_day) == (2, pytest.approx(2 / 7))


def test_lead_time_is_the_median_over_commits_that_went_live() -> None:
    made = tuple(MONDAY + timedelta(hours=hours) for hours in (1, 5, 9))
    found = measures([run(10, committed=made), run(11, outcome="recovered", committed=(MONDAY,), recovery=9)], *WEEK)
    assert found.lead_time == 5 * 3600


def test_a_release_that_was_taken_back_failed_and_recovered_by_itself() -> None:
    found = measures([run(1), run(2, outcome="recovered", recovery=30.0)], *WEEK)
    assert (found.failed, found.fail_rate, found.recovery_time, found.rework) == (1, 0.5, 30.0, 0)


@pytest.mark.parametrize("remedy", ["hotfix", "rollback"])
def test_a_remedy_makes_the_release_before_it_a_failed_one(remedy: str) -> None:
    found = measures([run(1), run(3, remedy)], *WEEK)
    assert (found.failed, found.fail_rate) == (1, 0.5)
    assert found.recovery_time == 2 * 3600
    assert (found.rework, found.rework_rate) == (1, 0.5)


def test_a_rollback_and_the_hotfix_after_it_are_for_one_incident() -> None:
    found = measures([run(1), run(3, "rollback"), run(5, "hotfix")], *WEEK)
    assert (found.failed, found.rework) == (1, 2)


def test_a_hotfix_that_needed_another_one_failed_too() -> None:
    assert measures([run(1), run(3, "hotfix"), run(5, "hotfix")], *WEEK).failed == 2


def test_the_guards_way_back_counts_against_the_release_it_watched() -> None:
    found = measures([run(1), run(1.5, "guard", "recovered", recovery=9.0)], *WEEK)
    assert (found.failed, found.recovery_time, found.rework) == (1, 1800.0, 1)


def test_a_halted_release_recovers_with_the_next_good_one() -> None:
    halted = [run(1), run(2, outcome="halted")]
    assert measures(halted, *WEEK).recovery_time is None
    assert measures([*halted, run(4)], *WEEK).recovery_time == 2 * 3600
    assert measures([*halted, run(4, "rollback")], *WEEK).failed == 1


def test_a_remedy_before_anything_went_live_makes_nothing_fail() -> None:
    assert measures([run(1, "hotfix")], *WEEK).failed == 0


def test_only_what_ended_in_the_period_counts_but_what_came_before_is_known() -> None:
    found = measures([run(-5), run(1, "rollback"), run(200)], *WEEK)
    assert (found.deployments, found.failed, found.rework) == (1, 0, 1)


def test_the_report_says_no_data_where_there_is_none() -> None:
    nothing = measures([], *WEEK)
    something = measures([run(1, committed=(MONDAY,)), run(2, outcome="recovered", recovery=30)], *WEEK)
    report = dora_report.Report(*WEEK, something, nothing)
    text = dora_report.markdown(report)
    assert "| Change fail rate | 50% | no data |" in text
    assert "| Failed deployment recovery time (median) | 30 s | no data |" in text
    assert "Change lead time (median): 1.0 h (before: no data)" in dora_report.slack(report)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5400, "1.5 h"), (200_000, "2.3 days"), (None, "no data")],
)
def test_times_are_told_as_people_say_them(seconds: float | None, told: str) -> None:
    assert dora_report.span(seconds) == told
