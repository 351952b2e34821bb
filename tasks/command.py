"""The application's own commands, run in a work tree without anything of Tidegate's own environment."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import yaml

from clients import process
from config import text
from release import appfile
from release.appfile import AppFile
from release.errors import Refused
from tasks import lodging

# A variable called like this is taken for a secret, whatever the configuration calls it.
_SECRETIVE = ("PASSWORD", "KEY", "TOKEN", "SECRET")
# Shorter values, and shorter lines of a secret, are too common to be told from other text.
_LEAST = 4


def application_file(source: Path) -> AppFile:
    """The application's `tidegate.yaml`. Raises Refused when it is missing or broken."""
    path = source / "tidegate.yaml"
    try:
        data = yaml.safe_load(text.read(path, "tidegate.yaml"))
    except FileNotFoundError:
        raise Refused(
            "the application has no tidegate.yaml at this commit.",
            field="tidegate.yaml",
            next_step="Add one; docs/examples has two to start from.",
        ) from None
    except (yaml.YAMLError, ValueError):
        raise Refused("it is not valid YAML.", field="tidegate.yaml", next_step="Mend the file.") from None
    return appfile.parse(data)


async def completed(
    command: str, place: Path, variables: Mapping[str, str], timeout: float, app: AppFile
) -> process.Completed:
    """Run one of the application's commands in `place`, as `tasks.lodging` gives it, whatever its exit code.

    It sees `variables` and a few of the machine's, nothing else of Tidegate's own environment. Raises Refused when
    there is no such command, Unavailable when it does not end in time.
    """
    argv = app.commands.get(command)
    if argv is None:
        raise Refused(f"the application names no command {command!r}.", field="tidegate.yaml: commands")
    return await lodging.execute(argv, place, variables, timeout)


def tail(done: process.Completed, variables: Mapping[str, str], secrets: Collection[str] = ()) -> str:
    """The last lines that a command wrote, without the secrets among its variables; see `hidden`."""
    lines = hidden(done.stdout + done.stderr, variables, secrets).splitlines()
    return " | ".join(line.strip() for line in lines[-4:] if line.strip())


def hidden(text: str, variables: Mapping[str, str], secrets: Collection[str] = ()) -> str:
    """The text without the values, and their single lines, of the variables that `secrets` names or that are named
    like secrets."""
    found = {variables[name].strip() for name in secrets if name in variables}
    guessed = {value.strip() for name, value in variables.items() if any(word in name for word in _SECRETIVE)}
    lines = {line.strip() for value in found | guessed for line in value.splitlines()}
    masked = found | {part for part in guessed | lines if len(part) >= _LEAST}
    # The longest first: a secret may be part of another.
    parts = sorted(masked - {""}, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, parts)), "***", text) if parts else text
