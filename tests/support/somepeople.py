"""People with one-time codes and a database of a file, in the settings of a test."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pyotp
import pytest

from release.gates_code import code_at

SECRET = pyotp.random_base32()


def configured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ada and eve may operate, bob may approve; eve has no codes. Returns the address of the database."""
    (folder / "totp").write_text(SECRET)
    url = f"sqlite:///{folder / 'store.db'}"
    (folder / "address").write_text(url)
    totp = {"file": str(folder / "totp")}
    people = {
        "ada": {"roles": ["operate"], "slack": "U1", "github": "ada-l", "totp": totp},
        "bob": {"roles": ["approve"], "github": "bob", "totp": totp},
        "eve": {"roles": ["operate"]},
    }
    monkeypatch.setenv("TIDEGATE__PEOPLE", json.dumps(people))
    monkeypatch.setenv("TIDEGATE__DATABASE__URL__FILE", str(folder / "address"))
    return url


def code(shift: int = 0) -> str:
    """Everybody's code; each step counts once for a person."""
    return code_at(SECRET, time.time() + 30 * shift)
