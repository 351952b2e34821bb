"""A story told by commands, as a user would give them, and what is really there after each."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich import box
from rich.console import Console
from rich.table import Table

from config import load
from release.versions import shown
from sandbox import kept, lifecycle, state, witness
from sandbox.forks import Forks

# Its arguments -> its exit code, and what it told as JSON.
Command = Callable[..., tuple[int, dict[str, Any]]]
_LONGEST_S = 900.0
# Characters of a version: all of X.Y.Z, the beginning of a commit.
_SHORT = 10


@dataclass(frozen=True, slots=True)
class Scene:
    """One command, and what has to come of it: `live` is the version in every region of `environment`; None where
    nothing is to be compared."""

    title: str
    argv: tuple[str, ...]
    outcome: str
    live: str | None
    environment: str = "production"


def tell(scenes: Sequence[Scene], *, speed: float, name: str, users: float = 20) -> int:
    """Play all scenes in a sandbox of their own, write `.tidegate/NAME.json`; 0 when each went as it should."""
    console, home, began = Console(), load.home(), time.monotonic()
    if state.holder(home) is not None or state.read(home) is not None:
        console.print("A sandbox of this checkout is there already: it is taken down and its data removed.")
        lifecycle.down(home)
    lifecycle.purge(home)
    releases: list[dict[str, Any]] = []
    try:
        more = kept.options() if os.environ.get("KEEP") else ()
        if _up(console, "--speed", f"{speed:g}", "--users", f"{users:g}", *more):
            with _commands(console) as command:
                releases.extend(_play(console, scene, command) for scene in scenes)
            _show(console, releases)
        seconds = time.monotonic() - began
        result = {"wall_s": round(seconds, 1), "speed": speed, "builder": _builder(), "releases": releases}
        (home / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
        _end(console, name, seconds, speed)
    finally:
        if not os.environ.get("KEEP"):
            lifecycle.down(home)
    return 0 if len(releases) == len(scenes) and all(one["as_expected"] for one in releases) else 1


def _up(console: Console, *options: str) -> bool:
    argv = _prompt(console, "sandbox", "up", *options)
    command = [sys.executable, "-m", "deployments.cli", *argv]
    return subprocess.run(command, env=_environment(console), check=False, cwd=load.CHECKOUT).returncode == 0


@contextmanager
def _commands(console: Console) -> Iterator[Command]:
    """What runs a command and gives its exit code and what it told: in processes that need no start-up of their own."""
    forks, numbers = Forks(_environment(console), shown=True), itertools.count()
    with tempfile.TemporaryDirectory() as scratch:

        def command(*argv: str) -> tuple[int, dict[str, Any]]:
            folder = Path(scratch) / str(next(numbers))
            folder.mkdir()
            argv = (*_prompt(console, *argv), "--json")
            code = forks.start(argv, _environment(console), folder).wait(_LONGEST_S)
            told = (folder / "stdout").read_text()
            return code, json.loads(told) if told.startswith("{") else {}

        yield command
        forks.end()


def _prompt(console: Console, *argv: str) -> tuple[str, ...]:
    console.print(f"\n[bold]$ tidegate {' '.join(argv)}[/bold]")
    return argv


def _environment(console: Console) -> dict[str, str]:
    return {**os.environ, "TIDEGATE_GUARD": "off", "COLUMNS": str(console.width)}


def _play(console: Console, scene: Scene, command: Command) -> dict[str, Any]:
    console.rule(scene.title)
    code, told = command(*scene.argv)
    regions = asyncio.run(witness.regions(scene.environment))
    live = {region["version"] for region in regions.values()}
    return {
        "pipeline": told.get("pipeline", scene.argv[0]),
        "version": told.get("version", scene.argv[-1]),
        "strategy": told.get("strategy", ""),
        "outcome": told.get("word", ""),
        "exit_code": code,
        "reason": told.get("reason", ""),
        "seconds": round(told.get("seconds", 0.0), 1),
        "failing_requests": sum(one["failing"] or 0 for one in told.get("harm", ())),
        "regions": regions,
        "as_expected": told.get("word") == scene.outcome and (scene.live is None or live == {scene.live}),
    }


def _show(console: Console, releases: Sequence[dict[str, Any]]) -> None:
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
    for one in releases:
        if one["reason"]:
            console.print(f"{one['version']} {one['outcome']}: {one['reason']}", markup=False, highlight=False)
    final = Table("region", "live", "ready", "digest of every Ready pod", "helm", box=box.SIMPLE_HEAD)
    for name, region in releases[-1]["regions"].items():
        final.add_row(name, shown(region["version"]), str(region["ready"]), region["digest"][:19], region["helm"])
    console.print("\nNow, as read from helm, the API server and the registry:")
    console.print(final)


def _builder() -> str:
    """What built the images; a stand-in says so."""
    engine = load.settings().engine
    return "Docker Engine" if engine.builder == "engine" else "the stand-in for a Docker Engine"


def _end(console: Console, name: str, seconds: float, speed: float) -> None:
    found = state.read(load.home())
    if found is None:
        return
    console.rule("Slack (simulated)")
    for message in httpx.get(f"{found.control}/api/state", timeout=5, trust_env=False).json().get("slack", []):
        console.print(f"#{message['channel']}: {message['text']}\n", markup=False, highlight=False)
    console.print(f"Images were built by {_builder()}.")
    console.print(f"Took {seconds:.0f} s at speed {speed:g}; written to {load.home() / f'{name}.json'}.")
    if os.environ.get("KEEP"):
        console.rule("Left up")
        for line in kept.told(found, load.home()):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
