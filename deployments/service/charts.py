"""The picture of a verdict under way, drawn from what its run writes down while it judges."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from config import load
from release.verdict import chart, record

# A picture is drawn anew at most so often, in seconds: the course is judged again for each.
_ANEW_S = 3.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,80}")


def stamp(run: str, region: str) -> str:
    """Something that changes when there is a newer picture; empty where this machine has none."""
    path = _path(run, region)
    try:
        return "" if path is None else f"{path.stat().st_mtime // _ANEW_S:.0f}"
    except OSError:
        return ""


async def draw(run: str, region: str) -> str | None:
    """The course as SVG; None where this machine has none."""
    path = _path(run, region)
    return None if path is None else await asyncio.to_thread(_draw, path)


def _draw(path: Path) -> str | None:
    try:
        stored = record.load(path.read_text())
    except (OSError, ValueError):
        return None
    return chart.draw(stored.policy, stored.entries, stored.title)


def _path(run: str, region: str) -> Path | None:
    if not (_NAME.fullmatch(run) and _NAME.fullmatch(region)):
        return None
    return load.home() / "work" / "runs" / run / f"verdict-{region}.jsonl"
