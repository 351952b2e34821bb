"""Whom a name means, by the way it came by."""

from __future__ import annotations

import pytest

from release.errors import Refused
from release.people import Person, operator, who

# Spelled on purpose as somebody else is called elsewhere.
PEOPLE = {
    "ada": Person("ada", frozenset({"operate"}), slack="U1", github="bob"),
    "bob": Person("bob", frozenset({"approve"}), slack="U2", github="Bob-L"),
    "eve": Person("eve", frozenset({"approve"})),
    "u1": Person("u1", frozenset({"approve"})),
}


@pytest.mark.parametrize(
    ("name", "via", "person"),
    [
        ("bob", "github", "ada"),
        ("bob-l", "github", "bob"),
        ("ada", "github", None),
        ("eve", "github", None),
        ("", "github", None),
        ("bob", "cli", "bob"),
        (" Bob ", "board", "bob"),
        ("Bob-L", "cli", None),
        ("U2", "cli", None),
        ("u1", "cli", "u1"),
        ("U1", "slack", "ada"),
        ("u1", "slack", None),
        ("bob", "slack", None),
        ("", "slack", None),
    ],
)
def test_a_name_is_one_of_the_way_it_came_by(name: str, via: str, person: str | None) -> None:
    found = who(PEOPLE, name, via)
    assert (found.name if found else None) == person


@pytest.mark.parametrize("name", ["bob", "mallory", "U1", ""])
def test_only_who_may_operate_changes_what_goes_on(name: str) -> None:
    assert operator(PEOPLE, "Ada").name == "ada"
    with pytest.raises(Refused, match="may do this"):
        operator(PEOPLE, name)
