"""The people who may act, and whom a name means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from release.errors import Refused

Role = Literal["see", "approve", "operate"]
# Each role may what those before it may.
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may act: `slack` and `github` are his names there, empty where he has none."""

    name: str
    roles: frozenset[Role]
    slack: str = ""
    github: str = ""

    def may(self, role: Role) -> bool:
        return any(ROLES.index(own) >= ROLES.index(role) for own in self.roles)


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks for something at the command line; `proven`: he is the person of that name."""

    name: str
    proven: bool = False


def is_called(person: Person, name: str) -> bool:
    """Whether `name`, as a run's requester, is this person by any of his names."""
    wanted = name.strip().casefold()
    return wanted in {one.casefold() for one in (person.name, person.slack, person.github) if one}


def who(people: Mapping[str, Person], name: str, via: str) -> Person | None:
    """The person whom `name` means to the way it came by: github and slack know their own names, every other way those
    of `people`. A login at GitHub is nobody's name here, however alike they are."""
    return next((person for person in people.values() if _is_known_as(person, name.strip(), via)), None)


def _is_known_as(person: Person, name: str, via: str) -> bool:
    if via == "slack":
        return bool(name) and person.slack == name
    own = person.github if via == "github" else person.name
    return bool(own) and own.casefold() == name.casefold()


def operator(people: Mapping[str, Person], name: str) -> Person:
    """The person of that name, who may change what goes on. Raises Refused for somebody who may not."""
    person = who(people, name, "cli")
    if person is None or not person.may("operate"):
        raise Refused(
            f"nobody called {name!r} may do this.",
            field="people",
            next_step="Give your name with --as NAME; in `people` of tidegate.yaml it has the role operate.",
        )
    return person
