"""The verdicts on canaries, as runs write them down while they judge: read on from where the last look ended."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from release.verdict import State, advance, record, start
from release.verdict.chart import picture
from release.verdict.series import Series

_NAME = "verdict-"


@dataclass(frozen=True, slots=True)
class Shown:
    """The newest verdict of a region: `polls` grows, `at` is when the file was written last (seconds, epoch)."""

    region: str
    run: str
    title: str
    sentence: str
    polls: int
    ended: bool
    at: float


@dataclass(slots=True)
class _Course:
    path: Path
    read: int = 0
    title: str = ""
    sentence: str = ""
    polls: int = 0
    ended: bool = False
    state: State | None = None
    series: Series = field(default_factory=Series)

    def go_on(self) -> None:
        with self.path.open() as file:
            file.seek(self.read)
            for line in file:
                if not line.endswith("\n"):
                    return
                self.read += len(line.encode())
                self._take(json.loads(line))

    def _take(self, plain: dict[str, object]) -> None:
        if self.state is None:
            self.state, self.title = start(record.policy(plain)), str(plain.get("title", ""))
        elif "given" in plain:
            self.ended = True
        else:
            entry = record.entry(plain)
            self.state, verdict = advance(self.state, entry)
            self.series.add(entry, verdict)
            self.sentence, self.polls = verdict.sentence, self.polls + 1


class Verdicts:
    """Those below the folder of runs, `runs`/RUN/verdict-REGION.jsonl; one a region, the newest."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._courses: dict[str, _Course] = {}
        self._lock = threading.Lock()

    def newest(self) -> list[Shown]:
        """In the order of the regions' names. Blocks: it reads files."""
        with self._lock:
            found = []
            for region, (path, at) in sorted(self._files().items()):
                course = self._course(region, path)
                if course.state is not None:
                    seen = (course.title, course.sentence, course.polls, course.ended)
                    found.append(Shown(region, path.parent.name, *seen, at))
            return found

    def draw(self, region: str) -> str | None:
        """The course in the region as SVG, as far as `newest` read it; None where there is none."""
        with self._lock:
            course = self._courses.get(region)
            return None if course is None else picture(course.series.points(), course.title)

    def _course(self, region: str, path: Path) -> _Course:
        course = self._courses.get(region)
        if course is None or course.path != path or path.stat().st_size < course.read:
            course = self._courses[region] = _Course(path)
        # Pruned, or written by another version: what was read stands.
        with suppress(OSError, ValueError, LookupError, TypeError):
            course.go_on()
        return course

    def _files(self) -> dict[str, tuple[Path, float]]:
        newest: dict[str, tuple[Path, float]] = {}
        for path in self._runs.glob(f"*/{_NAME}*.jsonl"):
            try:
                at = path.stat().st_mtime
            except OSError:
                continue
            region = path.stem.removeprefix(_NAME)
            if region not in newest or at > newest[region][1]:
                newest[region] = (path, at)
        return newest
