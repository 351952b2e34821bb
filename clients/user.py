"""The users of this machine: whose process this is, and as whom it may run others."""

from __future__ import annotations

import os
import pwd

from release.errors import Refused


def own_name() -> str:
    """Whose process this is, by the user's id alone: LOGNAME and USER are whatever somebody set. `uid-1000` for one
    without a name."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid-{number}"


def is_root() -> bool:
    """Whether this process may run others as somebody else."""
    return os.geteuid() == 0


def account(name: str) -> pwd.struct_passwd:
    """The user of that name, as whom this process may run others: only root may, and for anybody but root.

    Raises Refused.
    """
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        raise Refused(
            f"this machine has no user {name!r}.", field="checks.as", next_step=f"Add it: `useradd --system {name}`."
        ) from None
    if not is_root():
        raise Refused(
            f"only root may run commands as {name}, and this process is {own_name()}'s.",
            field="checks.as",
            next_step="Start the worker as root, or set `checks: {as: worker}`.",
        )
    if found.pw_uid == 0:
        raise Refused(f"{name} is root, who can read everything.", field="checks.as", next_step="Name another user.")
    return found
