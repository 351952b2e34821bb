"""`tidegate init`: the files for an application of one's own, asked for one by one, or given as options."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from config import load
from deployments.cli.doctor import show
from release.errors import Refused

if TYPE_CHECKING:
    from deployments.initial import Answers, Place

_PLACE = "NAME,CONTEXT,ADDRESS[,NAMESPACE]"


def init(
    into: Annotated[Path, typer.Option(help="The folder for the configuration.")] = Path("tidegate-config"),
    name: Annotated[str, typer.Option(help="The application's name: lower-case letters, digits, dashes.")] = "",
    git: Annotated[str, typer.Option(help="Its repository's address.")] = "",
    github: Annotated[str, typer.Option(help="Its repository at GitHub, owner/name.")] = "",
    image: Annotated[str, typer.Option(help="Its image, host/path without a tag.")] = "",
    username: Annotated[str, typer.Option(help="The registry's user; its password is REGISTRY_PASSWORD.")] = "",
    branch: Annotated[str, typer.Option(help="Release tags must be on it.")] = "main",
    kubeconfig: Annotated[str, typer.Option(help="The kubeconfig with every region's context.")] = "~/.kube/config",
    development: Annotated[str, typer.Option(help=_PLACE)] = "",
    staging: Annotated[str, typer.Option(help=_PLACE)] = "",
    region: Annotated[list[str] | None, typer.Option(help=f"Production, {_PLACE}; again for each region.")] = None,
    language: Annotated[str, typer.Option(help="node or python: write the application's tidegate.yaml too.")] = "",
    application: Annotated[Path, typer.Option(help="The application's checkout, for its tidegate.yaml.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    check: Annotated[bool, typer.Option(help="Look at what the files name, as `tidegate doctor` does.")] = True,
) -> None:
    """Write a configuration for an application of your own, and its tidegate.yaml; then check what they name. What is
    not given as an option is asked for.

    Example: `tidegate init`, or `tidegate init --name shop --git https://github.com/me/shop.git --github me/shop
    --image ghcr.io/me/shop --development dev,dev,https://dev.example.com
    --staging staging,staging,https://staging.example.com --region eu-west-1,production,https://example.com`.
    """
    from deployments import initial

    environments = {
        "development": (_place(development, "development", "development"),),
        "staging": (_place(staging, "staging", "staging"),),
        "production": _regions(region or []),
    }
    answers = initial.Answers(
        name=name or _ask("name", "The application's name"),
        git=git or _ask("git", "Its repository's address"),
        github=github or _ask("github", "Its repository at GitHub (owner/name)"),
        image=image or _ask("image", "Its image (host/path)"),
        environments=environments,
        branch=branch,
        username=username,
        kubeconfig=kubeconfig,
        language=_language(language),
    )
    for path in _write(into, application, answers, force=force):
        typer.echo(f"wrote {path}")
    os.environ["TIDEGATE_CONFIG"] = str(into.absolute())
    for each in load.ENVIRONMENTS:
        load.environment(each)
    if check:
        _check()
    typer.echo("Before production can be released, fill in:")
    for line in initial.to_fill(answers):
        typer.echo(f"  - {line}")
    typer.echo(f"Next: `export TIDEGATE_CONFIG={into.absolute()}`, mend what is named above, then `tidegate doctor`.")


def _write(into: Path, application: Path, answers: Answers, *, force: bool) -> list[Path]:
    from deployments import initial

    own = initial.application(answers)
    texts = {into / name: text for name, text in initial.files(answers).items()}
    texts |= {application / "tidegate.yaml": own} if own is not None else {}
    return initial.write(texts, force=force)


def _place(given: str, environment: str, option: str) -> Place:
    from deployments import initial

    return initial.place(given or _ask(option, f"{environment}'s region ({_PLACE})"), environment, option)


def _regions(given: list[str]) -> tuple[Place, ...]:
    from deployments import initial

    texts = given or [text for text in _ask("region", f"production's regions ({_PLACE}; ...)").split(";") if text]
    return tuple(initial.place(text, "production", "region") for text in texts)


def _language(given: str) -> str:
    from deployments import initial

    if given and given not in initial.LANGUAGES:
        known = ", ".join(initial.LANGUAGES)
        raise Refused(f"there is no example for {given!r}.", field="language", next_step=f"Choose one of {known}.")
    return given


def _ask(option: str, question: str) -> str:
    if not sys.stdin.isatty():
        raise Refused("it is not given, and nobody is there to be asked.", field=option, next_step=f"Give --{option}.")
    return str(typer.prompt(question)).strip()


def _check() -> None:
    from deployments.doctor import examine

    show(Console(), asyncio.run(examine()), every=False)
