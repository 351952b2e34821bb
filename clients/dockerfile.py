"""The labels that a Dockerfile gives its image: as much of the language as the stand-in builder needs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from release.errors import Failed

_VARIABLE = re.compile(
    r"""\\\$                                     # an escaped dollar
      | \$(?:(?P<plain>\w+)
      | \{(?P<braced>\w+)(?::(?P<kind>[-+])(?P<word>[^}]*))?\})""",
    re.VERBOSE | re.ASCII,
)


def labels(dockerfile: str, build_args: Mapping[str, str]) -> dict[str, str]:
    """The labels of the last stage. An argument counts only where it is declared with ARG, as in Docker.

    Raises Failed, as the engine would, for a Dockerfile without FROM or with a line that cannot be read.
    """
    before: dict[str, str] = {}
    scope: dict[str, str] | None = None
    found: dict[str, str] = {}
    for word, rest in _instructions(dockerfile):
        known = before if scope is None else scope
        if word == "FROM":
            scope, found = {}, {}
        elif word == "ARG":
            known.update(_declared(rest, known, before, build_args))
        elif word == "ENV" and scope is not None:
            scope.update(_pairs(rest, scope))
        elif word == "LABEL" and scope is not None:
            found.update(_pairs(rest, scope))
    if scope is None:
        raise Failed("The image build failed: the Dockerfile has no FROM.", next_step="start it with FROM and an image")
    return found


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction in capitals with what follows it; comments gone, continued lines joined."""
    joined = ""
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        joined += stripped.removesuffix("\\")
        if not stripped.endswith("\\"):
            word, _, rest = joined.partition(" ")
            yield word.upper(), rest.strip()
            joined = ""


def _declared(
    rest: str, known: Mapping[str, str], before: Mapping[str, str], build_args: Mapping[str, str]
) -> dict[str, str]:
    """The arguments of an ARG line with their values: the build's, else the default, else that before FROM."""
    values: dict[str, str] = {}
    for part in _split(rest):
        name, has_default, default = part.partition("=")
        if name in build_args:
            values[name] = build_args[name]
        elif has_default:
            values[name] = _substituted(default, {**known, **values})
        elif name in before:
            values[name] = before[name]
    return values


def _pairs(rest: str, scope: Mapping[str, str]) -> dict[str, str]:
    """`key=value key="two words"`, or the old form `key the whole rest`."""
    first = rest.split(None, 1)
    if len(first) == 2 and "=" not in first[0]:
        return {first[0]: _substituted(" ".join(_split(first[1])), scope)}
    pairs = (part.partition("=") for part in _split(rest))
    return {key: _substituted(value, scope) for key, _, value in pairs}


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise Failed(
            f"The image build failed: {error} in the Dockerfile's line {text!r}.", next_step="close the quotation"
        ) from error


def _substituted(text: str, scope: Mapping[str, str]) -> str:
    """`$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+word}` replaced; an unknown name is empty."""

    def value(match: re.Match[str]) -> str:
        name = match["plain"] or match["braced"]
        if name is None:
            return "$"
        held = scope.get(name, "")
        if match["kind"] == "-":
            return held or match["word"]
        return (match["word"] if held else "") if match["kind"] == "+" else held

    return _VARIABLE.sub(value, text)
