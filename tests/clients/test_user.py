"""As whom a process may run others, and whose it is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from clients import process, user
from release.errors import Refused

ROOT = os.geteuid() == 0
# Root steps down to somebody without rights first; anybody else is that already.
AS_NOBODY = """
import os
from clients import user
from release.errors import Refused
if os.geteuid() == 0:
    os.setuid(65534)
try:
    user.account("daemon")
except Refused as error:
    print(error.field, "|", error.what)
"""


def test_only_root_may_run_as_somebody_else() -> None:
    done = subprocess.run([sys.executable, "-c", AS_NOBODY], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.startswith("checks.as | only root may run commands as daemon, and this process is ")


async def test_a_command_runs_as_the_user_in_his_own_group_alone() -> None:
    if not ROOT:
        with pytest.raises(Refused, match="only root"):
            await process.run(["id"], user="nobody", timeout=5)
        return
    account = user.account("nobody")
    done = await process.run(["sh", "-c", "id -u; id -g; id -G"], user="nobody", timeout=5)
    assert done.stdout.split() == [str(account.pw_uid), *[str(account.pw_gid)] * 2]
