"""`tidegate init`: what it writes is a configuration that loads."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from config import load
from config.settings import Settings
from deployments import initial
from deployments.cli.main import app
from release import appfile, gates_messages, gates_votes
from release.errors import Refused
from release.gates import Request

GIVEN = (
    *("--name", "books", "--git", "https://github.com/me/books.git", "--github", "me/books"),
    *("--image", "ghcr.io/me/books", "--username", "me", "--no-check"),
    *("--development", "dev,dev,https://dev.example.com"),
    *("--staging", "staging,staging,https://staging.example.com,books-staging"),
    *("--region", "us-east-1,prod-us,https://us.example.com", "--region", "eu-west-1,prod-eu,https://eu.example.com"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TIDEGATE_CONFIG", str(tmp_path / "unset"))
    return tmp_path / "config"


def run(folder: Path, *more: str) -> str:
    done = CliRunner().invoke(app, ["init", "--into", str(folder), *GIVEN, *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_what_is_written_loads(folder: Path, tmp_path: Path) -> None:
    told = run(folder, "--language", "python", "--application", str(tmp_path / "books"))
    assert f"export TIDEGATE_CONFIG={folder}" in told
    settings, production = load.settings(), load.environment("production")
    assert (settings.target, settings.application.name, settings.registry.username) == ("real", "books", "me")
    assert production.waves == (("us-east-1",), ("eu-west-1",))
    gates = {name: load.environment(name).gates for name in load.ENVIRONMENTS}
    assert [(gates[name].approvals, gates[name].wait) for name in ("development", "staging", "production")] == [
        (0, 0),
        (1, 300),
        (2, 1800),
    ]
    assert load.environment("staging").regions["staging"].namespace == "books-staging"
    assert load.environment("development").regions["dev"].context == "dev"
    own = yaml.safe_load((tmp_path / "books" / "tidegate.yaml").read_text())
    assert own["name"] == "books"
    assert appfile.parse(own).migrations_declared


@pytest.mark.parametrize("language", initial.LANGUAGES)
def test_the_applications_file_is_one_that_tidegate_reads(language: str) -> None:
    answers = initial.Answers("books", "", "", "", {}, language=language)
    assert {"unit", "smoke"} <= appfile.parse(yaml.safe_load(initial.application(answers) or "")).commands.keys()


def test_nothing_is_written_over_unless_asked(folder: Path) -> None:
    run(folder)
    (folder / "staging.yaml").write_text("mine: true\n")
    with pytest.raises(Refused, match="already there") as refused:
        run(folder)
    assert str(folder / "staging.yaml") in str(refused.value)
    assert (folder / "staging.yaml").read_text() == "mine: true\n"
    run(folder, "--force")
    assert "regions" in (folder / "staging.yaml").read_text()


def test_without_a_person_what_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(Refused, match="development"):
        CliRunner().invoke(app, ["init", "--into", str(folder)], catch_exceptions=False)
    assert not folder.exists()


@pytest.mark.parametrize("text", ["", "dev", "dev,ctx", "dev,ctx,nowhere", "a,b,https://x,n,more", ",b,https://x"])
def test_a_region_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="region"):
        initial.place(text, "production", "region")


def test_release_tags_must_be_on_the_branch_that_was_named(folder: Path) -> None:
    run(folder, "--branch", "trunk")
    assert load.settings().application.branch == "trunk"
    for name in ("staging", "production"):
        assert load.environment(name).gates.protected_branch == "trunk"


def test_what_production_still_lacks_is_said_and_only_to_be_filled_in(folder: Path) -> None:
    told = run(folder)
    for part in ("Before production can be released", "database", "2 who may approve", "REGISTRY_PASSWORD"):
        assert part in told
    gates, settings = load.environment("production").gates, load.settings()
    with pytest.raises(Refused, match="no database"):
        gates_messages.require_possible(gates, settings.persons, store=settings.database is not None)
    # The block as it stands, without its marks, is what lets the gates open.
    path = folder / "tidegate.yaml"
    text = path.read_text()
    start = text.index("# database:")
    path.write_text(text[:start] + "".join(line[2:] + "\n" for line in text[start:].splitlines()))
    filled = Settings(**yaml.safe_load(path.read_text()))
    assert filled.database is not None
    gates_messages.require_possible(gates, filled.persons, store=True)
    asked = gates_votes.Bound("production of books", "sha256:1", "rolling", (), {})
    assert not gates_messages.impossible(gates, Request("ada", True, 0.0, asked), filled.persons, store=True)
