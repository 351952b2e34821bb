from __future__ import annotations

import subprocess
import sys

import pytest

from clients.commits import next_version
from release.versions import Version

LAST = Version(1, 4, 2)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("feat: wishlist", "1.5.0"),
        ("feat(cart): wishlist", "1.5.0"),
        ("fix: rounding", "1.4.3"),
        ("perf(search): cache", "1.4.3"),
        ("revert: feat: wishlist", "1.4.3"),
        ('Revert "feat: wishlist"\n\nThis reverts commit 1234567.', "1.4.3"),
        ("feat!: drop the old prices", "2.0.0"),
        ("chore(api)!: drop python 3.9", "2.0.0"),
        ("fix: prices\n\nBREAKING CHANGE: prices are in cents", "2.0.0"),
        ("fix: prices\n\nBREAKING-CHANGE: prices are in cents", "2.0.0"),
    ],
)
def test_one_message(message: str, expected: str):
    assert str(next_version(LAST, [message])) == expected


@pytest.mark.parametrize(
    "message",
    [
        "chore: tidy up",
        "docs(readme): say more",
        "refactor: split the cart",
        "feature: not a type",
        "fixes the cart",
        "Merge branch 'feature/x' into main",
        "chore: collect\n\nfeat: quoted in a body\nfix: this too",
        "chore: nothing\n\nNo BREAKING CHANGE: here",
        "",
    ],
)
def test_nothing_to_release(message: str):
    assert next_version(LAST, [message]) is None


def test_the_highest_wins():
    assert next_version(LAST, ["fix: a", "feat: b", "chore: c"]) == Version(1, 5, 0)
    assert next_version(LAST, ["fix: a", "feat!: b"]) == Version(2, 0, 0)


def test_no_messages():
    assert next_version(LAST, []) is None
    assert next_version(None, []) is None


def test_the_first_version():
    assert next_version(None, ["fix: a"]) == Version(1, 0, 0)
    assert next_version(None, ["chore: a"]) is None


def test_commitizen_itself_is_not_imported():
    script = (
        "import sys; from clients.commits import next_version; next_version(None, ['fix: a']);"
        "sys.exit('commitizen' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
