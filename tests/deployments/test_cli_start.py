"""The command line starts quickly: what a command needs is imported by that command."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("aiohttp", "docker", "githubkit", "httpx", "kubernetes", "prefect", "pydantic", "slack_sdk")


def loaded(statement: str) -> set[str]:
    """Which of the heavy packages a fresh interpreter holds after the statement."""
    code = f"import sys\n{statement}\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["deployments.cli.main", "sandbox.cli", "config.load"])
def test_asking_for_help_loads_nothing_heavy(module: str) -> None:
    assert loaded(f"import {module}") == set()


def test_a_release_loads_neither_docker_nor_the_clients_of_what_may_not_be_configured() -> None:
    assert loaded("import flows.production") & {"docker", "githubkit", "slack_sdk"} == set()
