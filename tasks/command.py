"""The application's own commands, run in a work tree without anything of Tidegate's own environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from clients import process
from release import appfile
from release.appfile import AppFile
from release.errors import Refused

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")


def application_file(source: Path) -> AppFile:
    """The application's `tidegate.yaml`. Raises Refused when it is missing or broken."""
    path = source / "tidegate.yaml"
    try:
        data = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise Refused(
            "the application has no tidegate.yaml at this commit.",
            field="tidegate.yaml",
            next_step="Add one; docs/examples has two to start from.",
        ) from None
    except yaml.YAMLError:
        raise Refused("it is not valid YAML.", field="tidegate.yaml", next_step="Mend the file.") from None
    return appfile.parse(data)


async def completed(
    command: str, checkout: Path, variables: Mapping[str, str], timeout: float, app: AppFile | None = None
) -> process.Completed:
    """Run one of the application's commands in its work tree, whatever its exit code.

    It sees `variables` and a few of the machine's, nothing else of Tidegate's own environment. Raises Refused when
    there is no such command, Unavailable when it does not end in time.
    """
    argv = (app or application_file(checkout)).commands.get(command)
    if argv is None:
        raise Refused(f"the application names no command {command!r}.", field="tidegate.yaml: commands")
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}"
    return await process.run(argv, cwd=checkout, env={**inherited, "PATH": path, **variables}, timeout=timeout)


def tail(done: process.Completed, variables: Mapping[str, str]) -> str:
    """The last lines that a command wrote, without the secrets among its variables."""
    lines = hidden(done.stdout + done.stderr, variables).splitlines()
    return " | ".join(line.strip() for line in lines[-4:] if line.strip())


def hidden(text: str, variables: Mapping[str, str]) -> str:
    """The text without the values of variables that are named like secrets."""
    for name, value in variables.items():
        secretive = any(word in name for word in ("PASSWORD", "KEY", "TOKEN", "SECRET"))
        if secretive and len(value) >= 4:
            text = text.replace(value, "***")
    return text
