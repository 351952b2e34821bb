from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from release.errors import Refused
from sandbox import state
from sandbox.cli import app
from sandbox.options import Options


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.delenv("TIDEGATE_SANDBOX_KUBECONFIG", raising=False)
    return tmp_path


def said(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result.output


def refusal(*arguments: str) -> Refused:
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, Refused)
    return result.exception


def test_without_a_sandbox_each_command_says_so(home: Path) -> None:
    assert "tidegate sandbox up" in said("status", code=5)
    assert json.loads(said("status", "--json", code=5)) == {"up": False, "ready": False, "dead": [], "state": None}
    assert said("down") == "The sandbox was not up.\n"
    for arguments in (["kubectl", "--", "get", "pods"], ["fault", "github", "down"], ["behave", "1.5.0", "--reset"]):
        assert "not up" in refusal(*arguments).what


def test_a_dead_supervisor_is_not_taken_for_a_living_one(home: Path) -> None:
    state.write(home, state.State(pid=1, started="", phase="ready"))
    assert "its supervisor is gone" in said("status", code=5)
    state.write(home, state.State(pid=1, started="", phase="failed", error="etcd ended with code 1."))
    assert "etcd ended with code 1." in said("status", code=5)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["up", "--speed", "0"], "--speed"),
        (["up", "--regions", "65"], "--regions"),
        (["up", "--users", "-1"], "--users"),
        (["up", "--rules", "pyproject.toml"], "--rules"),
        (["up", "--prometheus", "--rules", "none.yaml"], "--rules"),
        (["fault", "github"], "MODE"),
        (["traffic"], "traffic"),
        (["behave", "1.5.0"], "behave"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_starts(home: Path, arguments: list[str], field: str) -> None:
    assert refusal(*arguments).field == field
    assert state.read(home) is None


def test_a_sandbox_that_is_up_does_not_claim_what_it_was_started_without(home: Path) -> None:
    held = state.acquire(home)
    assert held is not None
    there = (state.Part("prometheus", "real"),)
    state.write(home, state.State(pid=os.getpid(), started="", phase="ready", parts=there))
    for arguments in ([], ["--prometheus"]):
        assert "already up" in said("up", *arguments)
    refused = refusal("up", "--prometheus", "--serve")
    assert refused.what == "the sandbox is already up, without --serve."
    assert "tidegate sandbox down" in refused.next_step
    os.close(held)


def test_a_missing_kubeconfig_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_SANDBOX_KUBECONFIG", str(home / "none"))
    assert refusal("up").field == "TIDEGATE_SANDBOX_KUBECONFIG"


def test_purge_removes_what_a_sandbox_left(home: Path) -> None:
    (home / "sandbox" / "registry").mkdir(parents=True)
    assert "removed" in said("down", "--purge")
    assert not (home / "sandbox").exists()


def test_help_has_an_example_for_every_command() -> None:
    for command in ("up", "status", "down", "fault", "traffic", "behave", "kubectl"):
        assert "tidegate sandbox" in said(command, "--help").replace("\n", " ")


def test_options_survive_the_way_to_the_daemon() -> None:
    options = Options(speed=20, regions=5, prefect=False)
    assert Options.load(options.dump()) == options
