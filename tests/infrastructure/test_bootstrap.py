"""The virtual environment of the checkout, as `make` asks for it."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize(("version", "another"), [(None, False), ("3.10.1", True), (sys.version.split()[0], False)])
def test_an_environment_of_another_python_is_seen(tmp_path: Path, version: str | None, another: bool) -> None:
    if version is not None:
        (tmp_path / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\n")
    assert runpy.run_path(str(CHECKOUT / "scripts" / "bootstrap.py"))["of_another"](tmp_path) is another


@pytest.mark.parametrize(("words", "asks"), [((), False), (("PYTHON=/opt/python3.12",), True)])
def test_only_an_interpreter_that_is_asked_for_makes_it_anew(words: tuple[str, ...], asks: bool) -> None:
    env = {"PATH": "/usr/bin:/bin"}
    told = subprocess.run(["make", "-n", "setup", *words], cwd=CHECKOUT, env=env, capture_output=True, text=True)
    assert ("--this-python" in told.stdout) is asks
