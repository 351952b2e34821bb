"""Absolute limits: the hotfix's 2 %, the rollback window's 1 %, and not worse than before."""

from __future__ import annotations

import random

import pytest

from release.verdict import Cause, Counts, Kind, Limit, Policy, Sample, Verdict, Watching, start_watch, watch
from release.verdict.guard import limit_from, upper


def watched(state: Watching, rate: float, seconds: int, *, rps: int = 50, seed: int = 1) -> tuple[Watching, Verdict]:
    """Poll every second until something else than waiting is to be done."""
    chance, at = random.Random(seed), 0.0 if state.last is None else state.last.at
    counts = Counts() if state.last is None else state.last.route or Counts()
    state, verdict = watch(state, Sample(at, Counts(), Counts(), counts), at)
    for second in range(1, seconds + 1):
        counts = counts.plus(Counts(rps, sum(chance.random() < rate for _ in range(rps))))
        state, verdict = watch(state, Sample(at + second, Counts(), Counts(), counts), at + second)
        if verdict.action is Kind.ROLLBACK:
            break
    return state, verdict


def test_a_bad_hotfix_is_found_in_seconds() -> None:
    _, verdict = watched(start_watch(Limit(0.02)), 0.2, 300)
    assert (verdict.kind, verdict.cause, verdict.weight) == (Kind.ROLLBACK, Cause.BAD, 0)
    assert verdict.seconds <= 15
    assert "limit 2%; evidence" in verdict.sentence
    assert "needed 1000:1 (false-alarm risk <=0.1%)" in verdict.sentence


def test_a_late_failure_in_the_window_is_found() -> None:
    state, verdict = watched(start_watch(Limit(0.01)), 0.002, 600)
    assert verdict.kind is Kind.CONTINUE
    _, verdict = watched(state, 0.1, 120)
    assert (verdict.kind, verdict.seconds - 600 <= 60) == (Kind.ROLLBACK, True)


@pytest.mark.parametrize("rate", [0.02, 0.03, 0.05, 0.1, 0.19])
@pytest.mark.parametrize("rps", [5, 50])
def test_a_bad_version_that_is_not_very_bad_is_found_within_the_window(rate: float, rps: int) -> None:
    _, verdict = watched(start_watch(Limit(0.01)), rate, 1800, rps=rps)
    assert (verdict.kind, verdict.cause) == (Kind.ROLLBACK, Cause.BAD)


@pytest.mark.parametrize("rps", [5, 50])
def test_a_version_at_its_limit_raises_few_false_alarms(rps: int) -> None:
    alarms = sum(
        watched(start_watch(Limit(0.02, alpha=0.01)), 0.02, 120, rps=rps, seed=seed)[1].kind is Kind.ROLLBACK
        for seed in range(60)
    )
    assert alarms <= 3


def test_not_worse_than_before_is_a_limit_too() -> None:
    limit = Limit(limit_from(Counts(30_000, 60), 0.0005), 0.0005, "before")
    assert 0.002 * 1.1 < limit.rate < 0.006
    _, verdict = watched(start_watch(Limit(0.02), limit), 0.015, 300)
    assert (verdict.kind, verdict.finding.metric) == (Kind.ROLLBACK, "before")


def test_no_data_neither_condemns_nor_clears() -> None:
    state, _ = watched(start_watch(Limit(0.02)), 0.0, 10)
    at = 10.0
    for second in range(1, 200):
        state, verdict = watch(state, None, at + second)
        assert verdict.kind is Kind.NO_DATA
    assert (verdict.action, verdict.cause, verdict.finding.page) == (Kind.HOLD, Cause.PROVIDER_DOWN, True)


def test_it_is_over_after_the_seconds_that_had_data() -> None:
    state, verdict = watched(start_watch(Limit(0.02), seconds=300), 0.0, 299)
    assert verdict.kind is Kind.CONTINUE
    _, verdict = watched(state, 0.0, 2)
    assert verdict.kind is Kind.ADVANCE
    assert "0.0% errors (0/15050)" in verdict.sentence


@pytest.mark.parametrize("before", [0, 10])
def test_an_outage_of_the_metrics_is_no_time_that_was_watched(before: int) -> None:
    """Down for the whole watch, they come back: what they say then is one reading, however far it reaches back."""
    state, counts = start_watch(Limit(0.02), seconds=300), Counts(500 * before)
    if before:
        state, _ = watched(state, 0.0, before)
    for second in range(400):
        state, _ = watch(state, None, before + second + 0.5)
    kinds = []
    for second in range(420, 725):
        counts = counts.plus(Counts(50))
        state, verdict = watch(state, Sample(float(second), Counts(), Counts(), counts), float(second))
        kinds.append(verdict.kind)
    over = kinds.index(Kind.ADVANCE)
    assert 300 - before <= over <= 302 - before


def test_a_watch_without_any_user_is_never_over() -> None:
    state, verdict = watched(start_watch(Limit(0.02), seconds=3), 0.0, 4, rps=0)
    assert (verdict.kind, state.counts.requests) == (Kind.CONTINUE, 0)
    _, verdict = watched(state, 0.0, 1, rps=1)
    assert verdict.kind is Kind.ADVANCE


def test_no_users_are_no_data() -> None:
    state, _ = watched(start_watch(Limit(0.02)), 0.0, 10)
    _, verdict = watched(state, 0.0, 20, rps=0)
    assert (verdict.kind, verdict.cause) == (Kind.NO_DATA, Cause.NO_TRAFFIC)


def test_the_policy_says_when_a_person_is_paged() -> None:
    state = start_watch(Limit(0.02), policy=Policy(hold_after=3, give_up_after=6))
    for second in range(7):
        state, verdict = watch(state, None, float(second))
    assert (verdict.action, verdict.finding.page) == (Kind.HOLD, True)


def test_the_upper_bound_shrinks_with_what_is_known() -> None:
    bounds = [upper(n // 100, n, 0.001) for n in (100, 1000, 10_000, 100_000)]
    assert bounds == sorted(bounds, reverse=True)
    assert all(bound > 0.01 for bound in bounds)
    assert upper(0, 0, 0.001) == 1.0
    assert upper(0, 1000, 0.001) == pytest.approx(0.0069, abs=0.0002)


@pytest.mark.parametrize("limits", [(), (Limit(0.0),), (Limit(1.5),)])
def test_a_watch_needs_a_limit(limits: tuple[Limit, ...]) -> None:
    with pytest.raises(ValueError, match="limits between 0 and 1"):
        start_watch(*limits)
