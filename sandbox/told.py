"""What a story prints at its end: a table of what happened, what is live, what Slack got, and how long it took."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from rich import box
from rich.console import Console
from rich.table import Table

from config import load
from release.versions import shown
from sandbox import kept, state

# Characters of a version: all of X.Y.Z, the beginning of a commit.
_SHORT = 10


def scenes(console: Console, releases: Sequence[Mapping[str, Any]]) -> None:
    """What came of each command, as in `.tidegate/NAME.json`, and what is live now."""
    console.rule("What happened")
    table = Table(box=box.SIMPLE_HEAD)
    for title in ("pipeline", "version", "outcome", "took", "failing", "live"):
        table.add_column(title, no_wrap=True)
    for one in releases:
        pipeline = f"{one['pipeline']} {one['strategy']}" if one["pipeline"] == "production" else one["pipeline"]
        outcome = one["outcome"] if one["as_expected"] else f"[red]{one['outcome']}: NOT AS IT SHOULD BE[/red]"
        failing = str(one["failing_requests"]) if one["outcome"] == "recovered" else ""
        live = sorted({shown(found["version"])[:_SHORT] for found in one["regions"].values()})
        table.add_row(pipeline, one["version"][:_SHORT], outcome, f"{one['seconds']} s", failing, ", ".join(live))
    console.print(table)
    _besides(console, releases)
    for one in releases:
        if one["reason"]:
            console.print(f"{one['version']} {one['outcome']}: {one['reason']}", markup=False, highlight=False)
    _now(console, releases[-1]["regions"])


def _besides(console: Console, releases: Sequence[Mapping[str, Any]]) -> None:
    table = Table("pipeline", "version", "looked for besides", "there", box=box.SIMPLE_HEAD)
    for one in releases:
        for fact in one["facts"]:
            there = "yes" if fact["as_expected"] else "[red]NO[/red]"
            table.add_row(one["pipeline"], one["version"][:_SHORT], fact["fact"], there)
    if table.row_count:
        console.print(table)


def _now(console: Console, regions: Mapping[str, Mapping[str, Any]]) -> None:
    table = Table("region", "live", "ready", "digest of every Ready pod", "helm", box=box.SIMPLE_HEAD)
    for name, region in regions.items():
        table.add_row(name, shown(region["version"]), str(region["ready"]), region["digest"][:19], region["helm"])
    console.print("\nNow, as read from helm, the API server and the registry:")
    console.print(table)


def builder() -> str:
    """What built the images; a stand-in says so."""
    engine = load.settings().engine
    return "Docker Engine" if engine.builder == "engine" else "the stand-in for a Docker Engine"


def end(console: Console, name: str, times: Mapping[str, float], speed: float) -> None:
    """Slack's messages, the times in seconds, and where everything is that was left up."""
    found = state.read(load.home())
    if found is None:
        return
    console.rule("Slack (simulated)")
    for message in httpx.get(f"{found.control}/api/state", timeout=5, trust_env=False).json().get("slack", []):
        console.print(f"#{message['channel']}: {message['text']}\n", markup=False, highlight=False)
    console.print(f"Images were built by {builder()}.")
    took = f"{times['story_s']:.0f} s at speed {speed:g}, after {times['setup_s']:.0f} s until the sandbox was up"
    console.print(f"Took {took}; written to {load.home() / f'{name}.json'}.")
    if os.environ.get("KEEP"):
        console.rule("Left up")
        for line in kept.told(found, load.home()):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
