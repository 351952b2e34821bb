"""`tidegate plan`: what a release would do, with nothing done."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from deployments.cli import who
from deployments.cli.release import Json
from deployments.cli.show import table
from release import messages
from release.people import Requester
from release.planning import Plan, RegionPlan
from release.versions import shown

_LINES = 60
# Nineteen characters of a digest tell it from the others.
_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")


def plan(
    tag: Annotated[str, typer.Argument(help="The release tag, vX.Y.Z.")],
    strategy: Annotated[
        str | None, typer.Option(help="rolling, blue-green or canary; by default as `release` would choose.")
    ] = None,
    region: Annotated[list[str] | None, typer.Option(help="Only this region; may be given again.")] = None,
    at: Annotated[
        str, typer.Option(help="As if asked at this time, 2026-11-27T17:05, in the gates' time zone; now by default.")
    ] = "",
    person: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="As if this one of `people` asked, and proved it.")
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Show every line of each region's Helm diff.")] = False,
    as_json: Json = False,
) -> None:
    """Show what a release to production would do: waves, gates, checks, each region's Helm diff, how long it is
    expected to take and what it would go back to. Nothing is changed.

    Exit code 2 where it would be refused.

    Example: `tidegate plan v1.4.0 --strategy canary`, or `tidegate plan v1.4.0 --at 2026-11-27T17:05`.
    """
    from deployments import plans
    from tasks import proof

    by = Requester(proof.known(person).name, proven=True) if person else who.caller()
    found = asyncio.run(plans.read(plans.Asked(tag, strategy, tuple(region or ()), by, at)))
    if as_json:
        Console().print_json(data=found.as_dict())
    else:
        _show(Console(), found, whole=whole)
    raise typer.Exit(2 if found.refusals else 0)


def _show(console: Console, found: Plan, *, whole: bool) -> None:
    console.print(
        f"{found.tag} to {found.environment}, {found.strategy}, asked for {found.at}", style="bold", highlight=False
    )
    digest = found.digest[:19] or "no digest: staging never verified it"
    console.print(f"{digest}, commit {found.commit[:12]}", highlight=False)
    console.print("Waves: " + ", then ".join(" + ".join(wave) for wave in found.waves), highlight=False)
    console.print(f"Expected to take: {_expected(found)}", highlight=False)
    table(console, ("gate", "", ""), [(one.name, _open(one.ok), one.detail) for one in found.gates])
    table(console, ("check", "", ""), [(one.name, "ok" if one.ok else "NOT OK", one.detail) for one in found.checks])
    # A change that all regions share is shown once.
    told: dict[tuple[str, ...], str] = {}
    for one in found.regions:
        _region(console, one, told, whole=whole)
    for what in found.refusals:
        console.print(f"It would be refused: {what}", style="red", markup=False, highlight=False, soft_wrap=True)
    for step in dict.fromkeys(found.next_steps):
        console.print(f"Next: {step}", markup=False, highlight=False, soft_wrap=True)
    if not found.refusals:
        console.print("Nothing was changed. Next: " + _next(found), markup=False, highlight=False)


def _next(found: Plan) -> str:
    return "nothing, it is live." if found.nothing_to_do else f"`tidegate release {found.tag}`."


def _expected(found: Plan) -> str:
    if found.seconds is None:
        return "unknown, no earlier release of this strategy tells"
    return f"{messages.duration(found.seconds)} once the gates are open (from {found.based_on} earlier)"


def _open(state: bool | None) -> str:
    return "to come" if state is None else "open" if state else "SHUT"


def _region(console: Console, one: RegionPlan, told: dict[tuple[str, ...], str], *, whole: bool) -> None:
    took = f", about {messages.duration(one.seconds)}" if one.seconds is not None else ""
    console.print(
        f"{one.region}: {shown(one.live) if one.live else 'nothing'} is live{took}", style="bold", highlight=False
    )
    for step in one.steps:
        console.print(f"  - {step}", markup=False, highlight=False)
    console.print(f"  goes back to: {one.back_to}", markup=False, highlight=False, soft_wrap=True)
    lines = (*one.change.values, "", *one.change.manifests) if one.change.manifests else one.change.values
    if not lines:
        return
    same = told.setdefault(_alike(lines, one.region), one.region)
    if same != one.region:
        console.print(f"  Helm changes the same as in {same}", highlight=False)
        return
    console.print("  Helm changes:")
    kept = lines if whole else lines[:_LINES]
    for line in kept:
        style = "green" if line.startswith("+") else "red" if line.startswith("-") else ""
        console.print(Text("    " + _DIGEST.sub(r"\1", line), style=style))
    if len(kept) < len(lines):
        console.print(f"    ... {len(lines) - len(kept)} lines more: --whole shows them")


def _alike(lines: tuple[str, ...], region: str) -> tuple[str, ...]:
    return tuple(line.replace(region, "REGION") for line in lines)
