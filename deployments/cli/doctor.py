"""`tidegate doctor`: is everything outside there, and does it let us in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from config import load
from deployments.cli.release import Json
from deployments.cli.show import table
from release.doctor import Finding, exit_code

_SHOWN = {"ok": "ok", "note": "note", "wrong": "WRONG", "silent": "SILENT"}


def doctor(
    every: Annotated[bool, typer.Option("--all", help="Show what is well too, region by region.")] = False,
    as_json: Json = False,
) -> None:
    """Check each address, credential and right, the tools, the clusters' versions, Gateway API, clocks and databases,
    and say how to mend what is not well. Nothing is changed.

    Exit code 5 where something does not answer, else 2 where something is wrong.

    Example: `tidegate doctor`, or `tidegate doctor --all`.
    """
    from deployments.doctor import examine

    found = asyncio.run(examine())
    if as_json:
        data = {"target": load.settings().target, "findings": [one.as_dict() for one in found]}
        Console().print_json(data=data)
        raise typer.Exit(exit_code(found))
    show(Console(), found, every=every)
    raise typer.Exit(exit_code(found))


def show(console: Console, found: Sequence[Finding], *, every: bool) -> None:
    """What needs a person, and how to mend it; with `every`, what is well too."""
    from deployments.doctor import ordered

    shown = found if every else [one for one in ordered(found) if one.grade != "ok"]
    table(console, ("", "about", "what", "found"), [(_SHOWN[o.grade], o.about, o.what, o.detail) for o in shown])
    for one in shown:
        if one.mend and one.grade != "ok":
            word = "Advice" if one.grade == "note" else "Next"
            console.print(f"{word}: {one.about}, {one.what}: {one.mend}", markup=False, highlight=False, soft_wrap=True)
    well = sum(one.grade == "ok" for one in found)
    console.print(f"{well} of {len(found)} checks are well.")
