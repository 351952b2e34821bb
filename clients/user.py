"""The user of this machine whose process this is."""

from __future__ import annotations

import os
import pwd


def name() -> str:
    """By the user's id alone: LOGNAME and USER are whatever somebody set. `uid-1000` for one without a name."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid-{number}"
