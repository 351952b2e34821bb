"""What Prefect's pages and the command line show of a run's end, built from plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from release.messages import aftermath, duration
from release.outcome import Outcome, RegionResult
from release.versions import shown


def region_table(results: Sequence[RegionResult]) -> list[dict[str, Any]]:
    """Rows for a Prefect table artifact."""
    return [
        {
            "region": result.region,
            "outcome": result.outcome,
            "live": shown(result.version),
            "ready": result.ready,
            "digest": result.digest[:19],
            "took": duration(result.seconds),
            "reason": result.reason,
        }
        for result in results
    ]


def region_row(region: str, outcome: str) -> dict[str, Any]:
    """The row of a region that has told nothing yet."""
    return {"region": region, "outcome": outcome, "live": "", "ready": "", "digest": "", "took": "", "reason": ""}


def plain(results: Sequence[RegionResult]) -> str:
    """The same as text of one width, for Slack; empty without regions."""
    if not results:
        return ""
    head = ("region", "outcome", "live", "ready", "took")
    rows = [head, *(tuple(str(row[name]) for name in head) for row in region_table(results))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(("```", *lines, "```"))


def report(outcome: Outcome, links: Mapping[str, str] | None = None) -> str:
    """The run's end as Markdown, for the Prefect artifact. `links` maps what a page shows to its address."""
    lines = [f"# {outcome.pipeline} {shown(outcome.version)}: {outcome.word}", ""]
    lines += [f"**Why:** {outcome.reason}", ""] if outcome.reason else []
    lines += [f"**Next:** {outcome.next_step}", ""] if outcome.next_step else []
    lines += [f"- {line}" for line in (*map(str, outcome.harm), *aftermath(outcome), *outcome.warnings)]
    if outcome.regions:
        lines += ["", "| region | outcome | live | ready | took |", "|---|---|---|---|---|"]
        lines += [
            f"| {r.region} | {r.outcome} | {shown(r.version)} | {r.ready} | {duration(r.seconds)} |"
            for r in outcome.regions
        ]
    found = [f"- [{what}]({address})" for what, address in (links or {}).items()]
    lines += ["", "## Links", "", *found] if found else []
    return "\n".join(lines)
