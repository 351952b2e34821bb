"""Who is at the command line, and whether that is proven: by a one-time code, in the sandbox by the name alone."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from clients import user
from config import load
from release import people
from release.people import Requester

CODE_VARIABLE = "TIDEGATE_CODE"
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="NAME",
        help=f"Your name in `people`. A one-time code proves it: it is asked for, or read from {CODE_VARIABLE}.",
    ),
]


def actor() -> str:
    """The name of who is at the command line; it proves nothing."""
    return os.environ.get("TIDEGATE_ACTOR") or user.own_name()


def code() -> str:
    """A one-time code, never from an argument: others could read those."""
    given = os.environ.get(CODE_VARIABLE)
    return given or str(typer.prompt("One-time code", hide_input=True, err=True))


def noted(why_not: str) -> None:
    """Say what could not be done besides, such as writing a deed into the audit."""
    if why_not:
        typer.echo(f"Note: {why_not}", err=True)


def caller() -> Requester:
    """Who it is by name. The sandbox believes one of its people; it has nothing to lose."""
    settings, name = load.settings(), actor()
    believed = settings.target == "sandbox" and people.who(settings.persons, name, "cli") is not None
    return Requester(name, believed)


def asking(name: str | None) -> Requester:
    """Who asks for a run that will stand at gates: `name`, who proves it. Raises Refused where he does not.

    Without a name he is as proven as `caller`; where that is not at all, what that costs is said.
    """
    if name is not None:
        from tasks import proof

        known = proof.known(name).name
        return Requester(asyncio.run(proof.prove(known, code())).name, proven=True)
    found = caller()
    if not found.proven and load.settings().people:
        noted(
            f"nothing proves that {found.name} asks, so gates that need approvals need one more. Next: with --as NAME "
            "and a one-time code of yours they do not."
        )
    return found


def operator(name: str | None) -> Requester:
    """Who changes what goes on: one of the people who may operate, and proves it; anybody where no people are
    configured. Raises Refused."""
    settings = load.settings()
    if name is None and not settings.people:
        return caller()
    person = people.operator(settings.persons, name or actor())
    if name is None and settings.target == "sandbox":
        return Requester(person.name, proven=True)
    from tasks import proof

    person, note = asyncio.run(proof.prove_in_need(person.name, code()))
    noted(note)
    return Requester(person.name, proven=True)
