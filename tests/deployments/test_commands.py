"""Every command explains itself: in its help with an example, and in docs/commands.md."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from deployments.cli.main import app

DOCS = Path(__file__).parents[2] / "docs" / "commands.md"
for point in entry_points(group="tidegate.commands"):
    if point.name not in {group.name for group in app.registered_groups}:
        app.add_typer(point.load(), name=point.name)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        elif not command.hidden:
            yield (*path, name), command


ALL = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_has_an_example_of_that_command(path: tuple[str, ...]) -> None:
    told = " ".join(part for part in (ALL[path].help, ALL[path].epilog) if part)
    _, found, example = told.partition("Example: `")
    assert found and f"tidegate {' '.join(path)}" in example


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_the_page_of_commands_has_it(path: tuple[str, ...]) -> None:
    assert f"`tidegate {' '.join(path)}" in DOCS.read_text()


def test_the_page_names_no_command_that_is_not_there() -> None:
    rows = [line for line in DOCS.read_text().splitlines() if line.startswith("| `tidegate ")]
    named = {tuple(row.split("`")[1].split()[1:]) for row in rows}
    missing = [words for words in named if not any(words[: len(path)] == path for path in ALL)]
    assert rows and not missing


def test_completion_is_offered() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    assert "--install-completion" in shown
