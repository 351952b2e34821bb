"""One-time codes."""

from __future__ import annotations

import pyotp

from release.gates_code import code_at, step_of

SECRET = pyotp.random_base32()
NOW = 1_800_000_010.0


def test_a_code_belongs_to_its_half_minute_and_the_one_before_and_after() -> None:
    step = int(NOW) // 30
    assert [step_of(SECRET, code_at(SECRET, NOW + shift), NOW) for shift in (-30, 0, 30)] == [step - 1, step, step + 1]
    assert step_of(SECRET, code_at(SECRET, NOW - 90), NOW) is None
    assert step_of(pyotp.random_base32(), code_at(SECRET, NOW), NOW) is None


def test_spaces_are_nothing_and_nothing_is_no_code() -> None:
    code = code_at(SECRET, NOW)
    assert step_of(SECRET, f" {code[:3]} {code[3:]}\n", NOW) == int(NOW) // 30
    for wrong in ("", "12345", code + "0", "०" * 6):
        assert step_of(SECRET, wrong, NOW) is None
