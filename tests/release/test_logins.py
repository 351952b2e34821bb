"""How often one may try to log in."""

from __future__ import annotations

import pytest

from release.logins import PER_ADDRESS, PER_NAME, PER_PAIR, WINDOW, Failure, wait


def failures(count: int, name: str = "ada", address: str = "here", at: float = 0.0) -> list[Failure]:
    return [Failure(at + number, name, address) for number in range(count)]


def test_a_pair_waits_until_the_oldest_that_fills_its_limit_is_over() -> None:
    assert wait(failures(PER_PAIR - 1), "ada", "here", 10) == 0
    assert wait(failures(PER_PAIR), "ada", "here", 10) == WINDOW - 10
    assert wait(failures(PER_PAIR + 2), "ada", "here", 10) == WINDOW + 2 - 10
    assert wait(failures(PER_PAIR), "ada", "here", WINDOW) == 0


def test_a_stranger_elsewhere_does_not_lock_a_person_out() -> None:
    assert wait(failures(PER_ADDRESS, address="there"), "ada", "here", 30) == 0


@pytest.mark.parametrize(
    ("found", "name", "address"),
    [
        ([Failure(0, f"n{one}", "here") for one in range(PER_ADDRESS)], "ada", "here"),
        ([Failure(0, "ada", f"a{one}") for one in range(PER_NAME)], "ada", "here"),
    ],
)
def test_many_names_from_one_place_and_one_name_from_many_wait_too(
    found: list[Failure], name: str, address: str
) -> None:
    assert wait(found, name, address, 0) == WINDOW
    assert wait(found[1:], name, address, 0) == 0
