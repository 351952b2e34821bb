from __future__ import annotations

import pytest

from release import runs
from release.errors import Refused

KNOWN = {"3f2a-1": "production v1.5.0 holds production", "3f2a-2": "staging v1.6.0 waits", "77aa-1": "guard"}


@pytest.mark.parametrize("beginning", ["", " ", "3", "3f2", "3f2 "])
def test_what_is_too_short_names_no_run(beginning: str) -> None:
    with pytest.raises(Refused, match="at least the first 4") as caught:
        runs.only(beginning, KNOWN)
    assert caught.value.field == "run"


def test_the_beginning_names_one_run_or_none() -> None:
    assert runs.only("77aa", KNOWN) == "77aa-1"
    assert runs.only("3f2a-2", KNOWN) == "3f2a-2"
    assert runs.only("beef", KNOWN) is None


def test_several_are_named() -> None:
    with pytest.raises(
        Refused, match=r"3f2a-1 \(production v1.5.0 holds production\), 3f2a-2 \(staging v1.6.0 waits\)"
    ):
        runs.only("3f2a", KNOWN)
