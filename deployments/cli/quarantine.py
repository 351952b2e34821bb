"""`tidegate quarantine list | lift`: versions that were taken back, and a person's word that one may come again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from deployments.cli import who
from deployments.cli.release import Json
from deployments.cli.show import moment, table
from release import quarantine
from release.people import Requester
from release.versions import shown

if TYPE_CHECKING:
    from release.quarantine import Quarantined

app = typer.Typer(help="Versions that were taken back and are refused until a person lifts that.", no_args_is_help=True)


@app.command(name="list")
def listed(
    every: Annotated[bool, typer.Option("--all", help="Those that were lifted too, with who did it.")] = False,
    as_json: Json = False,
) -> None:
    """List the quarantined images: version, digest, since when, by which run, and why.

    Example: `tidegate quarantine list`.
    """
    found = [one for one in asyncio.run(_read()) if every or not one.lifted]
    if as_json:
        Console().print_json(data={"quarantined": [one.as_dict() for one in found]})
        return
    console = Console()
    table(console, ("version", "digest", "since (UTC)", "run", "lifted", "why"), map(_row, found))
    if not found:
        console.print("Nothing is quarantined.")
    for one in found:
        for harm in one.harm:
            console.print(f"{shown(one.artifact.version)} in {harm}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def lift(
    digest: Annotated[str, typer.Argument(help="The image's digest or its beginning, or the version's tag vX.Y.Z.")],
    reason: Annotated[str, typer.Option(help="Why it may come again; it is kept with your name.")],
    person: who.As = None,
    as_json: Json = False,
) -> None:
    """Let a version that was taken back be released again. Your name and reason stay in its record.

    Example: `tidegate quarantine lift v1.5.0 --reason "the database was the cause"`.
    """
    one, note = asyncio.run(_lift(digest, reason, who.operator(person)))
    who.noted(note)
    version = shown(one.artifact.version)
    if as_json:
        told = {"pipeline": "quarantine", "word": "lifted", "version": one.artifact.version, "reason": reason}
        Console().print_json(data=told | {"digest": one.artifact.digest})
        return
    typer.echo(f"{version} ({one.artifact.digest[:19]}) may be released again. Next: `tidegate plan {version}`.")


async def _read() -> list[Quarantined]:
    from tasks import context

    async with await context.registry() as registry:
        tags = await registry.tags(quarantine.PREFIX)
        found = [quarantine.from_record(await registry.read_record(tag)) for tag in tags]
    return sorted((one for one in found if one is not None), key=lambda one: one.at, reverse=True)


async def _lift(asked: str, reason: str, by: Requester) -> tuple[Quarantined, str]:
    from deployments import audited
    from tasks import clock, context

    lifted = quarantine.lift(quarantine.find(await _read(), asked), by.name, reason, clock.now())
    async with await context.registry() as registry:
        digest = lifted.artifact.digest
        await registry.write_record(quarantine.tag_of(digest), digest, lifted.as_dict())
    detail = {"version": lifted.artifact.version, "digest": digest, "reason": reason}
    return lifted, await audited.write(by, "quarantine lift", lifted.run, detail)


def _row(one: Quarantined) -> tuple[str, ...]:
    lifted = f"{moment(one.lifted_at)} by {one.lifted_by}: {one.lifted_why}" if one.lifted else "-"
    return shown(one.artifact.version), one.artifact.digest[7:19], moment(one.at), one.run[:8], lifted, one.why
