from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.errors import Halted, Refused
from release.locking import (
    Ended,
    Held,
    Holder,
    Reacquire,
    Take,
    Wait,
    held_by_another,
    lost,
    may_take,
    mine,
    remember,
    still_acts,
)

ME = Holder("run-1", "ada", "production v1.4.0")
OTHER = Holder("run-2", "bob", "hotfix v1.3.1", "page me first")
HELD = Held(OTHER, since=1000, renewed=1100, lease=60)


def test_a_free_lock_is_taken() -> None:
    assert may_take(None, ME, 0) == Take()


def test_a_live_holder_is_waited_for_until_its_lease_ends() -> None:
    assert may_take(HELD, ME, 1130) == Wait(HELD, 31)


def test_a_dead_holder_loses_it_only_when_its_lease_has_surely_passed() -> None:
    # The API server's clock shows whole seconds, so up to one is added.
    assert isinstance(may_take(HELD, ME, 1160.5), Wait)
    assert may_take(HELD, ME, 1161) == Take(lapsed=HELD)


def test_a_restarted_run_has_its_lock_again_even_after_the_lease() -> None:
    mine = Held(ME, 1000, 1100, 60)
    assert may_take(mine, ME, 1130) == Reacquire(mine)
    assert may_take(mine, ME, 9999) == Reacquire(mine)


def test_of_two_processes_of_a_run_one_holds_the_lock() -> None:
    old, new = replace(ME, process="old"), replace(ME, process="new")
    held = Held(old, 1000, 1100, 60)
    assert may_take(held, new, 1101) == Reacquire(held)
    assert mine(held, old)
    assert not mine(held, new)
    assert not mine(held, ME)
    assert not mine(None, ME)
    assert "another process of the same run run-1" in str(lost(new, held))


@pytest.mark.parametrize(
    ("now", "regional", "seconds"),
    [(1110, False, 3), (1160, False, 1), (1161, False, 0), (1110, True, 51), (9999, True, 0)],
)
def test_a_process_that_loses_its_lock_is_left_the_time_to_notice(now: float, regional: bool, seconds: float) -> None:
    held = Held(replace(ME, process="old"), 1000, 1100, 60)
    assert still_acts(held, replace(ME, process="new"), now, 3, regional=regional) == seconds
    assert still_acts(held, OTHER, now, 3, regional=regional) == 0
    assert still_acts(None, ME, now, 3, regional=regional) == 0


def test_a_person_who_will_not_wait_hears_who_holds_it_and_what_to_do() -> None:
    error = held_by_another(Wait(HELD, 31))
    assert isinstance(error, Refused)
    text = str(error)
    for word in ("bob", "hotfix v1.3.1", "run-2", "page me first", "31 s", "tidegate unlock"):
        assert word in text


def test_a_lost_lock_halts() -> None:
    assert isinstance(lost(ME, HELD), Halted)
    assert "run-2" in str(lost(ME, HELD))
    assert "nobody" in str(lost(ME, None))


def test_the_history_keeps_the_newest() -> None:
    history: tuple[Ended, ...] = ()
    for number in range(25):
        history = remember(history, Ended("broken", OTHER, "ada", f"reason {number}", number))
    assert [ended.at for ended in history] == list(range(5, 25))


@given(lives=st.lists(st.tuples(st.integers(0, 5), st.floats(0, 500)), min_size=1, max_size=8), lease=st.floats(5, 600))
def test_whoever_dies_leaves_no_lock_behind(lives: list[tuple[int, float]], lease: float) -> None:
    """Each run renews so often and dies; the next one comes some time after that, and is never kept for longer than
    what is left of the dead one's lease."""
    held: Held | None = None
    now = 1000.0
    for number, (renewals, later) in enumerate(lives):
        me = Holder(f"dead-{number}", "ada", "production v1.4.0")
        decision = may_take(held, me, now)
        if isinstance(decision, Wait):
            assert held is not None and decision.seconds <= lease + 1.001
            now = held.lapses
            decision = may_take(held, me, now)
        assert decision == Take(lapsed=held)
        held = Held(me, now, now, lease)
        for _ in range(renewals):
            now += lease / 3
            assert isinstance(may_take(held, OTHER, now), Wait), "a run that lives is alone"
            held = replace(held, renewed=now)
        now += later
