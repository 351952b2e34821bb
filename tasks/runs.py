"""The folders of runs: checkouts and what verdicts saw. The newest are kept for whoever wants to look."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from tasks import context

KEPT = 50
# A run that is younger may still be under way beside this one.
YOUNG_S = 6 * 3600.0


def prune(mine: str, kept: int = KEPT) -> None:
    """Remove the folders of old runs but the newest `kept`; never that of the run `mine`. Blocks."""
    folders = sorted(((_changed(path), path) for path in context.work("runs").iterdir()), reverse=True)
    for changed, path in folders[kept:]:
        if path.name != mine and time.time() - changed > YOUNG_S:
            shutil.rmtree(path, ignore_errors=True)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
