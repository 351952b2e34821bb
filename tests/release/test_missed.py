"""Which deliveries that did not arrive GitHub is asked to make again."""

from __future__ import annotations

import pytest

from release.missed import Missed, Try, again, unmade


def tried(delivery: str, *statuses: int, at: float = 0, first: int = 1) -> list[Try]:
    return [Try(first + number, delivery, at + number, status) for number, status in enumerate(statuses)]


def names(found: tuple[Missed, ...]) -> list[str]:
    return [one.last.delivery for one in found]


def test_what_nobody_answered_is_missed_oldest_first_by_its_first_try() -> None:
    tries = tried("b", 0, at=5, first=1) + tried("a", 502, 503, at=3, first=8)
    found = unmade(tries[::-1], (), ())
    assert names(found) == ["a", "b"]
    assert (found[0].at, found[0].last) == (3, Try(9, "a", 4, 503))


@pytest.mark.parametrize("statuses", [(0, 202), (202, 0), (503, 200), (401,), (400,), (413,), (0, 401), (0,) * 5])
def test_what_arrived_or_was_turned_away_or_fails_each_time_is_left_alone(statuses: tuple[int, ...]) -> None:
    assert unmade(tried("a", *statuses), (), ()) == ()


def test_what_is_kept_or_was_just_asked_for_is_left_alone() -> None:
    tries = tried("a", 0, first=1) + tried("b", 0, first=2) + tried("c", 0, 0, first=3)
    assert names(unmade(tries, {"a"}, {2, 3})) == ["c"], "its newest try failed after it was asked for"


def missed(name: str, at: float, line: str = "") -> Missed:
    return Missed(Try(int(at), name, at, 0), at, line)


def test_of_a_line_the_newest_is_enough_and_what_has_no_line_all_comes() -> None:
    lost = [missed("a", 1, "main"), missed("b", 2), missed("c", 3, "main"), missed("d", 4, "develop"), missed("e", 5)]
    assert names(again(lost, {})) == ["b", "c", "d", "e"]


def test_a_newer_one_of_its_line_that_was_accepted_is_enough() -> None:
    lost = [missed("a", 5, "main"), missed("b", 6, "develop"), missed("c", 7)]
    assert names(again(lost, {"main": 9.0, "develop": 2.0, "": 99.0})) == ["b", "c"]
