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
