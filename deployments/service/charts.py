"""The picture of a verdict under way, drawn from what its run writes down while it judges; where that is on another
machine, from the few points that it tells the Prefect server."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clients.prefect_records import Records
from config import load
from deployments import prefectapi
from release.verdict import chart, record, sketch
from release.verdict.series import Point, points

# A course is judged anew at most so often, in seconds, however many look at it.
_ANEW_S = 3.0
# So many regions' courses are kept.
_MOST = 128
# A course that was not read from a file of this machine.
_ELSEWHERE = 0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,80}")


def stamp(run: str, region: str, facts: Mapping[str, Any] | None = None) -> str:
    """Something that changes when there is a newer picture; empty where there is none. `facts` are what the run told
    of the verdict."""
    path = _path(run, region)
    try:
        written = 0.0 if path is None else path.stat().st_mtime
    except OSError:
        return str(facts.get("at", "")) if facts and facts.get("points") else ""
    # The last picture of a course that is over has a stamp of its own: it must not be taken for one before.
    over = time.time() - written > _ANEW_S
    return "" if path is None else f"{written:.3f}" if over else f"{written // _ANEW_S:.0f}"


@dataclass(frozen=True, slots=True)
class _Judged:
    """A course as it was when its file had been `written` (ns), judged at this time (monotonic)."""

    written: int
    at: float
    title: str
    points: Sequence[Point]


class Charts:
    """Draws courses; each is judged once for all who look."""

    def __init__(self) -> None:
        self._judged: OrderedDict[Path, _Judged] = OrderedDict()
        self._judging = asyncio.Lock()

    async def draw(self, run: str, region: str, narrow: bool = False) -> str | None:
        """The course as SVG, for a phone where `narrow`; None where there is none. Raises Unavailable where it is on
        another machine and the Prefect server does not answer."""
        path = _path(run, region)
        found = None if path is None else await self._course(path, run, region)
        if found is None:
            return None
        return chart.picture(found.points, found.title, frame=chart.NARROW if narrow else chart.WIDE)

    async def _course(self, path: Path, run: str, region: str) -> _Judged | None:
        async with self._judging:
            kept = self._judged.get(path)
            fresh = kept is not None and time.monotonic() - kept.at < _ANEW_S
            try:
                written = path.stat().st_mtime_ns if path.exists() else _ELSEWHERE
                if kept is None or (not fresh and (written == _ELSEWHERE or kept.written != written)):
                    judged = written != _ELSEWHERE
                    kept = await (asyncio.to_thread(_judge, path, written) if judged else _told(run, region))
            except (OSError, ValueError):
                return None
            if kept is not None:
                self._judged[path] = kept
                self._judged.move_to_end(path)
            if len(self._judged) > _MOST:
                self._judged.popitem(last=False)
            return kept


async def _told(run: str, region: str) -> _Judged | None:
    """What the run told the Prefect server; None where it told nothing that can be drawn."""
    api, headers = prefectapi.place()
    async with Records(api, headers=headers) as records:
        found = [one for one in await records.courses() if (one.get("run"), one.get("region")) == (run, region)]
    if not found or not found[0].get("points"):
        return None
    return _Judged(_ELSEWHERE, time.monotonic(), str(found[0].get("title", "")), sketch.points(found[0]))


def _judge(path: Path, written: int) -> _Judged:
    stored = record.load(path.read_text())
    return _Judged(written, time.monotonic(), stored.title, points(stored.policy, stored.entries))


def _path(run: str, region: str) -> Path | None:
    if not (_NAME.fullmatch(run) and _NAME.fullmatch(region)):
        return None
    return load.home() / "work" / "runs" / run / f"verdict-{region}.jsonl"
