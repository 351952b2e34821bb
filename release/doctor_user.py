"""As whom a branch's tests run, and what a person might do about it. It is advice: a worker does either."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from release.doctor import Finding

_ADVISED = partial(Finding, "checks", "user", "note")
_WELL = partial(Finding, "checks", "user", "ok")
_SET = "`checks: {as: user:NAME}`, a user of the worker's machine without rights (docs/application.md)"
_LEAVE = "Leave it where all who may push may also release."


def as_another(name: str, me: str, *, root: bool) -> Finding:
    """With `checks.as` a user `name` that this process may run commands as, if it is root's; `me` is whose it is."""
    if root:
        return _WELL(f"the application's commands run as {name}")
    return _ADVISED(
        f"checks.as names {name}, and only root may run commands as somebody else: a worker that is {me}'s, as this "
        "process is, refuses them",
        "Start the worker as root. Where it is root's already, all is well: look again as root, on its machine.",
    )


def as_worker(me: str, guarded: Sequence[str], *, root: bool, sandbox: bool) -> Finding:
    """With none configured. `guarded` are the settings that are worth something only as long as a branch cannot read
    what the worker can."""
    tests = f"a branch's tests run as the worker's own user ({me}, if it is started as this process was)"
    mend = f"Set {_SET}." if root else f"Start the worker as root and set {_SET}."
    if guarded:
        past = " and ".join(guarded)
        return _ADVISED(f"{tests} and read what it can: whoever may push may get past {past}", f"{mend} {_LEAVE}")
    if root and not sandbox:
        return _ADVISED(f"{tests} and may do whatever root may", mend)
    return _WELL(tests)
