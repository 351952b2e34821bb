"""The text files that people write."""

from __future__ import annotations

from pathlib import Path

from release.errors import Refused


def read(path: Path, field: str) -> str:
    """Its text. Raises FileNotFoundError, and Refused naming `field` for a file that cannot be read as text."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Refused(
            f"{path} cannot be read: {error.strerror}.",
            field=field,
            next_step="See that it is a file which Tidegate's user may read.",
        ) from None
    except UnicodeDecodeError:
        raise Refused(f"{path} is not UTF-8 text.", field=field, next_step="Save it as UTF-8.") from None
