"""What a region's verdict saw, written down while it is seen, and shown in Prefect with a drawn chart."""

from __future__ import annotations

import base64
from contextlib import suppress
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import acreate_markdown_artifact

from release.verdict import Entry, Kind, Policy, Verdict, record, sketch
from release.verdict.chart import picture
from release.verdict.series import Point, Series
from tasks import context
from tasks.say import say

_HOW = "What was counted, poll by poll: saved as a file, `tidegate verdict FILE` computes every verdict again."


class Log:
    """One canary's. Each poll is a line of `verdict-<region>.jsonl` in the run's folder at once, so that a run that
    is killed keeps what it saw, and others can look on."""

    def __init__(self, region: str, policy: Policy, title: str) -> None:
        self._region, self._title = region, title
        self._path = context.work("runs", context.run_id()) / f"verdict-{region}.jsonl"
        self._series, self._last = Series(), ""
        self._seen = self._failed = False
        self._write(record.head(policy, title), "w")

    def add(self, entry: Entry, verdict: Verdict) -> None:
        """One poll and its verdict."""
        self._seen = self._seen or entry.weight > 0
        self._series.add(entry, verdict)
        self._last = verdict.sentence
        self._write(record.line(entry))

    def drawn(self) -> dict[str, Any]:
        """What the course so far is drawn from, in few numbers."""
        return {"title": self._title, "points": sketch.sketch(self._series.points())}

    async def keep(self) -> None:
        """At the end: artifacts with the chart and with the counts; nothing where the canary never had users."""
        if not self._seen:
            with suppress(FileNotFoundError):
                self._path.unlink()
            return
        self._write(record.end(self._last))
        try:
            await show(self._region, self._title, self._series.points(), self._path)
        except Exception as error:  # whatever it is: the verdict stands, and the release goes on by it
            say(f"the verdict's course is not shown in Prefect: {error}", region=self._region, warn=True)

    def _write(self, line: str, mode: str = "a") -> None:
        try:
            with self._path.open(mode) as file:
                file.write(line)
        except OSError as error:
            # The counts are evidence for later: a full disk must not fail the release itself.
            if not self._failed:
                say(f"the verdict's counts are not stored: {error}", region=self._region, warn=True)
            self._failed = True


@task(task_run_name="{region}: keep the verdict")
async def show(region: str, title: str, points: tuple[Point, ...], path: Path) -> None:
    """Two artifacts of the region's run: its course with the chart, and the counts as they were stored."""
    drawn = base64.b64encode(picture(points, title).encode()).decode()
    told = [one.verdict.sentence for one in points if one.verdict.kind not in (Kind.CONTINUE, Kind.NO_DATA)]
    lines = [f"# {title}", "", points[-1].verdict.sentence, "", f"![chart](data:image/svg+xml;base64,{drawn})", ""]
    lines += [f"- {sentence}" for sentence in dict.fromkeys(told)]
    await acreate_markdown_artifact(key=f"verdict-{region}", markdown="\n".join(lines), description=title)
    if path.exists():
        counts = f"{_HOW}\n\n```\n{path.read_text()}```\n"
        await acreate_markdown_artifact(key=f"counts-{region}", markdown=counts, description="The verdict's counts")
