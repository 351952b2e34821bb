"""The next version from conventional commits, by commitizen's increment and semantic-release's rules."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from release.versions import Version

_HEADER = r"^((BREAKING[ -]CHANGE|\w+)(\(.+\))?!?):"
_RULES = {
    r"^.+!$": "MAJOR",
    r"^BREAKING[ -]CHANGE$": "MAJOR",
    r"^feat(\(|$)": "MINOR",
    r"^(fix|perf|revert)(\(|$)": "PATCH",
}
_BREAKING = re.compile(r"BREAKING[ -]CHANGE:")


def next_version(last: Version | None, messages: Sequence[str]) -> Version | None:
    """The version after `last` for these commit messages (header, blank line, body), in any order.

    feat raises the minor; fix, perf and revert the patch; `!` or a BREAKING CHANGE footer the major. None where
    no message releases anything. The first version ever is 1.0.0.
    """
    found = _increments().get_highest_by_messages([_that_count(text) for text in messages], _HEADER, _RULES)
    if str(found) == "NONE":
        return None
    if last is None:
        return Version(1, 0, 0)
    if str(found) == "MAJOR":
        return Version(last.major + 1, 0, 0)
    if str(found) == "MINOR":
        return Version(last.major, last.minor + 1, 0)
    return Version(last.major, last.minor, last.patch + 1)


def _that_count(message: str) -> str:
    """The lines that may speak: commitizen reads every line, so that `fix: ...` in a body would release."""
    header, *body = message.strip().split("\n")
    if header.startswith('Revert "'):
        header = "revert: " + header
    return "\n".join([header, *(line for line in body if _BREAKING.match(line))])


@cache
def _increments() -> Any:
    """commitizen's VersionIncrement, from its file alone.

    Importing the package would close every log handler of the process (it calls logging.config.dictConfig)
    and cost half a second.
    """
    package = importlib.util.find_spec("commitizen")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("commitizen is not installed.", name="commitizen")
    path = Path(package.origin).with_name("version_increment.py")
    spec = importlib.util.spec_from_file_location("clients._commitizen_increment", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.VersionIncrement
