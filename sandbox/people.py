"""The sandbox's people: who they are, and the secrets of their codes. `sandbox.voters` lets some of them vote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any

import pyotp
from argon2 import PasswordHasher

from clients import user
from release import gates_code

# These are for visitors, with codes as every device shows them.
VISITORS = ("ada", "bob", "eve")
# These approve by themselves; their codes change each second, because the sandbox releases more often than people do.
HELPERS = ("dan", "fay", "gus")
HELPERS_PERIOD = 1


def secrets() -> dict[str, str]:
    """Passwords (a visitor's is his name), and new secrets for codes and Slack's signature, by the names of their
    files."""
    codes = {f"totp-{name}": pyotp.random_base32() for name in (*_visitors(), *HELPERS)}
    # Known to everybody who reads this: it is the codes that keep somebody else out, here.
    passwords = {f"password-{name}": PasswordHasher().hash(name) for name in VISITORS}
    return {**codes, **passwords, "slack-signing": token_hex(16)}


def settings(files: Mapping[str, Path]) -> dict[str, Any]:
    """`people` of the overlay; `files` holds each secret's file by the names of `secrets`."""
    people: dict[str, Any] = {}
    for name in (*_visitors(), *HELPERS):
        helper = name in HELPERS
        people[name] = {
            "roles": ["approve" if helper else "operate"],
            "slack": f"U{name.upper()}",
            # As who pushes to the sandbox's repository is called at its GitHub (`sandbox.outside.DEVELOPER`).
            "github": name,
            "totp": {"file": str(files[f"totp-{name}"])},
            "totp_period_s": HELPERS_PERIOD if helper else gates_code.PERIOD,
        }
        if name in VISITORS:
            people[name]["password"] = {"file": str(files[f"password-{name}"])}
    return people


def _visitors() -> tuple[str, ...]:
    """With who started the sandbox: he is believed at this machine, and may steer what he asks for."""
    own = user.own_name().lower()
    fits = re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?", own)
    return (*VISITORS, own) if fits and own not in (*VISITORS, *HELPERS) else VISITORS
