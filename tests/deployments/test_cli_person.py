"""`tidegate person`: what it prints lets that person in."""

from __future__ import annotations

from argon2 import PasswordHasher
from typer.testing import CliRunner

from deployments.cli.main import app
from release.errors import Refused
from release.gates_code import code_at, step_of


def test_what_it_prints_is_a_hash_and_a_secret() -> None:
    done = CliRunner().invoke(app, ["person", "ada"], input="correct horse battery\n" * 2)
    assert done.exit_code == 0, done.output
    lines = dict(line.split(": ", 1) for line in done.output.splitlines() if line.startswith(("people.", "For ")))
    assert PasswordHasher().verify(lines["people.ada.password"], "correct horse battery")
    secret = lines["people.ada.totp"]
    assert step_of(secret, code_at(secret, 3000), 3000) == 100
    assert lines["For the device"].startswith("otpauth://totp/Tidegate:ada?secret=")
    assert "correct horse" not in done.output


def test_a_short_password_is_refused() -> None:
    done = CliRunner().invoke(app, ["person", "ada"], input="short\n" * 2)
    assert isinstance(done.exception, Refused) and "12 characters" in done.exception.what
