"""Versions and tags: `1.4.0` is a version, `v1.4.0` its tag."""

from __future__ import annotations

import re
from dataclasses import dataclass

from release.errors import Refused

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)
_DEV = re.compile(r"dev-[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A released version, three numbers; ordered as numbers, written without the `v`."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def tag(self) -> str:
        return f"v{self}"


def parse_version(text: str, field: str = "version") -> Version:
    """`1.4.0` as a Version. Raises Refused naming `field` for anything else (`1.4`, `v1.4.0`, `1.4.0-rc1`)."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise Refused(f"{text!r} is not a version of the form X.Y.Z.", field=field, next_step="Give it as 1.4.0.")
    return Version(*(int(part) for part in match.groups()))


def parse_tag(text: str, field: str = "tag") -> Version:
    """`v1.4.0` as a Version. Raises Refused naming `field` for anything else (`1.4`, `v1.4`, `v1.4.0-rc1`)."""
    if not text.startswith("v") or _VERSION.fullmatch(text[1:]) is None:
        raise Refused(f"{text!r} is not a release tag of the form vX.Y.Z.", field=field, next_step="Give it as v1.4.0.")
    return parse_version(text[1:], field)


def shown(version: str) -> str:
    """A version as people are told it: `v1.4.0`, and `dev-` with the first twelve digits of its commit."""
    if version[:1].isdigit():
        return f"v{version}"
    return version[:16] if _DEV.fullmatch(version) else version
