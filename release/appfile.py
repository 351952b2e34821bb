"""The application's own file, `tidegate.yaml`: its commands, its image, its migrations."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from release.errors import Refused
from release.versions import Version, parse_version

COMMANDS = (
    "install",
    "lint",
    "unit",
    "integration",
    "integration-critical",
    "e2e",
    "performance",
    "smoke",
    "smoke-production",
    "acceptance",
    "load",
    "critical",
    "security",
    "audit",
    "sast",
)
_FILE = "tidegate.yaml"


@dataclass(frozen=True, slots=True)
class Migration:
    """A change of the stored data that came with `version`. No release goes back over an irreversible one."""

    name: str
    version: Version
    irreversible: bool


@dataclass(frozen=True, slots=True)
class Results:
    """What the tests leave behind, as patterns inside the repository: JUnit XML, and coverage (XML or JSON)."""

    junit: tuple[str, ...] = ()
    coverage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AppFile:
    """`commands` maps a name of COMMANDS to an argv, run without a shell; a name may be missing.

    `dockerfile` and `context` are paths inside the application's repository. `migrations_declared` is whether the
    file says anything of migrations, be it that there are none.
    """

    commands: Mapping[str, tuple[str, ...]]
    dockerfile: str = "Dockerfile"
    context: str = "."
    name: str = ""
    migrations: tuple[Migration, ...] = ()
    results: Results = Results()
    migrations_declared: bool = False

    def irreversible_between(self, older: Version, newer: Version) -> tuple[Migration, ...]:
        """The irreversible migrations that going back from `newer` to `older` would cross."""
        return tuple(one for one in self.migrations if one.irreversible and older < one.version <= newer)


def parse(data: object) -> AppFile:
    """The file's content, already loaded from YAML. Raises Refused naming the key and the rule it breaks."""
    top = _mapping(data, "", ("name", "commands", "image", "migrations", "results"))
    image = _mapping(top.get("image", {}), "image", ("dockerfile", "context"))
    commands = _mapping(top.get("commands"), "commands", COMMANDS)
    results = _mapping(top.get("results", {}), "results", ("junit", "coverage"))
    return AppFile(
        commands={name: _argv(command, f"commands.{name}") for name, command in commands.items()},
        dockerfile=_inside(image.get("dockerfile", "Dockerfile"), "image.dockerfile"),
        context=_inside(image.get("context", "."), "image.context"),
        name=_text(top.get("name", ""), "name"),
        migrations=_migrations(top.get("migrations", [])),
        migrations_declared="migrations" in top,
        results=Results(*(_patterns(results.get(kind, []), f"results.{kind}") for kind in ("junit", "coverage"))),
    )


def _mapping(value: object, key: str, allowed: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise _wrong(key, f"must be a mapping with some of: {', '.join(allowed)}")
    for name in value:
        if name not in allowed:
            raise _wrong(f"{key}.{name}".lstrip("."), f"is not known here; known are: {', '.join(allowed)}")
    return value


def _argv(value: object, key: str) -> tuple[str, ...]:
    """`npm run lint`, or its words as a list."""
    if isinstance(value, str):
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise _wrong(key, "has a quotation mark without its partner") from error
    elif isinstance(value, list) and all(isinstance(word, str) for word in value):
        words = value
    else:
        raise _wrong(key, "must be a command as a string, or as a list of words")
    if not words or not words[0]:
        raise _wrong(key, "must name an executable")
    for word in words:
        if word in ("|", "||", "&&", ";", ">", ">>", "<", "&") or "$(" in word:
            raise _wrong(key, f"is run without a shell, so {word!r} would be an argument; put it into a script")
    return tuple(words)


def _inside(value: object, key: str) -> str:
    text = _text(value, key)
    if not text or text.startswith("/") or ".." in text.split("/"):
        raise _wrong(key, "must be a path inside the application's repository")
    return text


def _patterns(value: object, key: str) -> tuple[str, ...]:
    """`test-results*.xml`, or a list of such."""
    found = tuple(_inside(pattern, key) for pattern in (value if isinstance(value, list) else [value]))
    if any("**" in part and part != "**" for pattern in found for part in pattern.split("/")):
        raise _wrong(key, "may use ** only for whole folders, as in reports/**/*.xml")
    return found


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise _wrong(key, "must be a string")
    return value


def _migrations(value: object) -> tuple[Migration, ...]:
    if not isinstance(value, list):
        raise _wrong("migrations", "must be a list")
    return tuple(_migration(item, f"migrations.{number}") for number, item in enumerate(value))


def _migration(value: object, key: str) -> Migration:
    item = _mapping(value, key, ("name", "version", "irreversible"))
    irreversible = item.get("irreversible")
    if not isinstance(irreversible, bool):
        raise _wrong(f"{key}.irreversible", "must be true or false, and be said")
    name = _text(item.get("name"), f"{key}.name")
    version = parse_version(_text(item.get("version"), f"{key}.version"), f"{_FILE}: {key}.version")
    return Migration(name, version, irreversible)


def _wrong(key: str, rule: str) -> Refused:
    subject = key or "the file"
    return Refused(
        f"{subject} {rule}.",
        field=f"{_FILE}: {key}" if key else _FILE,
        next_step="Correct it in the application's repository.",
    )
