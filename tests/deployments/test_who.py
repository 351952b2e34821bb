"""Who asks for a run at the command line, and what it takes to be believed."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from somepeople import code, configured

from deployments.cli import who
from release.errors import Refused
from release.people import Requester

OWN = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture(autouse=True)
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(tmp_path, monkeypatch)
    # A home keeps its target as long as the process lives.
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    for name in ("TIDEGATE_ACTOR", "TIDEGATE_CODE"):
        monkeypatch.delenv(name, raising=False)


def test_the_user_is_not_what_the_shell_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "bob")
    assert who.caller() == Requester(OWN)


@pytest.mark.parametrize(("target", "name", "proven"), [("real", "ada", False), ("sandbox", "ada", True),
                                                        ("sandbox", "ada-l", False)])  # fmt: skip
def test_a_name_is_believed_in_the_sandbox_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], target: str, name: str, proven: bool
) -> None:
    monkeypatch.setenv("TIDEGATE__TARGET", target)
    monkeypatch.setenv("TIDEGATE_ACTOR", name)
    assert who.asking(None) == Requester(name, proven)
    said = capsys.readouterr().err
    assert ("need one more" in said and "--as NAME" in said) is not proven


def test_a_code_proves_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_CODE", code())
    assert who.asking("Ada") == Requester("ada", True)
    with pytest.raises(Refused, match="used before"):
        who.asking("ada")
    with pytest.raises(Refused, match="nobody of `people`"):
        who.asking("mallory")
