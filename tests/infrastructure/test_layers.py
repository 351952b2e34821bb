"""The layers, broken on purpose: `make check` must notice. And the decisions' tests, which need no other room."""

from __future__ import annotations

import ast
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.process import run

ROOT = Path(__file__).parents[2]
ROOMS = ("release", "clients", "config", "tasks", "flows", "deployments", "sandbox")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "template"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("room", "line", "contract"),
    [
        ("release", "import clients.helm", "Imports point one way"),
        ("flows", "import sandbox.demo", "Imports point one way"),
        ("clients", "import prefect", "Prefect stays in flows, tasks and deployments"),
        ("release", "import httpx", "Decisions do no I/O"),
    ],
)
async def test_a_forbidden_import_is_named(copy: Path, room: str, line: str, contract: str) -> None:
    (copy / room / "broken.py").write_text(line + "\n")
    done = await run([str(Path(sys.executable).with_name("lint-imports")), "--no-cache"], cwd=copy, timeout=60)
    assert done.code == 1, done.stdout + done.stderr
    assert f"{contract} BROKEN" in done.stdout
    assert f"{room}.broken" in done.stdout


def test_the_decisions_are_tested_without_any_other_room() -> None:
    files = list((ROOT / "tests" / "release").glob("*.py"))
    for path in files:  # it grows by what they share
        roots = set(imported(path))
        assert not roots & {*ROOMS[1:], "prefect"}, path
        shared = (ROOT / "tests" / "support" / f"{root}.py" for root in roots)
        files += [one for one in shared if one.exists() and one not in files]
    assert len(files) > 40


def imported(path: Path) -> Iterator[str]:
    """The first part of the name of every module that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
