"""What an application's command gets, and what of its words is shown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from release.environment import SecretRef
from release.errors import Failed, Refused
from tasks import context, source
from tasks.command import application_file, hidden

DATABASE = "postgresql://shop:hunter2@db.example.com/shop"
KEY = "-----BEGIN-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END-----"


def test_a_secret_is_hidden_whatever_it_is_called() -> None:
    variables = {"DATABASE_URL": DATABASE, "SMTP_PASS": "abc", "DB_HOST": "db.example.com"}
    text = f"no way to {DATABASE} with abc at db.example.com"
    assert hidden(text, variables, ("DATABASE_URL", "SMTP_PASS")) == "no way to *** with *** at db.example.com"


def test_so_is_each_line_of_a_secret() -> None:
    for text in (KEY, KEY.replace("\n", "\\n"), "kqhkiG9w0BAQEF", *(f"read: {line}" for line in KEY.splitlines())):
        shown = hidden(text, {"SIGNING": KEY}, ("SIGNING",))
        assert not any(line in shown for line in KEY.splitlines())


def test_a_secret_that_holds_another_leaves_nothing_of_it() -> None:
    assert hidden("abcdefgh, abcd", {"A": "abcd", "B": "abcdefgh"}, ("A", "B")) == "***, ***"


def test_a_variable_that_is_called_like_a_secret_is_hidden_too() -> None:
    assert hidden("with s3cret-word", {"API_KEY": "s3cret-word"}) == "with ***"
    assert hidden("stage 1 of 3", {"KEY_COUNT": "3", "EMPTY": ""}, ("EMPTY",)) == "stage 1 of 3"


async def test_a_check_that_prints_its_secrets_is_told_without_them(tmp_path: Path) -> None:
    (tmp_path / "print.py").write_text("import os, sys\nsys.exit(os.environ['DATABASE_URL'] + ' refuses')\n")
    (tmp_path / "tidegate.yaml").write_text(f"name: shop\ncommands:\n  smoke: [{sys.executable}, print.py]\n")
    with pytest.raises(Failed) as raised:
        await source.check.fn("us-east-1", "smoke", tmp_path, {"DATABASE_URL": DATABASE}, ("DATABASE_URL",))
    assert raised.value.what.endswith("*** refuses")


@pytest.mark.parametrize("content", ["name: K\u00f6ln".encode("latin-1"), None, b"name: 2026-13-45"])
def test_an_applications_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "tidegate.yaml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(Refused) as raised:
        application_file(tmp_path)
    assert raised.value.field == "tidegate.yaml"


@pytest.mark.parametrize(
    ("content", "says"), [(b"\xff\xfe\xfa", "not UTF-8"), (None, "cannot be read"), (b" ", "missing")]
)
async def test_a_secret_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "secret"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(Refused, match=says) as raised:
        await context.resolve(SecretRef("file", str(path)), "slack.token")
    assert raised.value.field == "slack.token"
