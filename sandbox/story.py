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

from rich.console import Console

from config import load
from sandbox import kept, lifecycle, state, told, witness
from sandbox.facts import Fact
from sandbox.forks import Forks

# Its arguments -> its exit code, and what it told as JSON.
Command = Callable[..., tuple[int, dict[str, Any]]]
_LONGEST_S = 900.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One command, and what has to come of it: `live` is the version in every region of `environment`, None where
    none is to be compared; `facts` are what has to be so besides."""

    title: str
    argv: tuple[str, ...]
    outcome: str
    live: str | None
    environment: str = "production"
    facts: tuple[Fact, ...] = ()


def tell(scenes: Sequence[Scene], *, speed: float, name: str, users: float = 20) -> int:
    """Play all scenes in a sandbox of their own, write `.tidegate/NAME.json`; 0 when each went as it should."""
    console, home, began = Console(), load.home(), time.monotonic()
    if state.holder(home) is not None or state.read(home) is not None:
        console.print("A sandbox of this checkout is there already: it is taken down and its data removed.")
        lifecycle.down(home)
    lifecycle.purge(home)
    releases: list[dict[str, Any]] = []
    with taken_down(home):
        more = kept.options() if os.environ.get("KEEP") else ()
        ready, up = _up(console, "--speed", f"{speed:g}", "--users", f"{users:g}", *more), time.monotonic()
        if ready:
            with _commands(console) as command:
                releases.extend(_play(console, scene, command) for scene in scenes)
            told.scenes(console, releases)
        ended = time.monotonic()
        times = {"wall_s": ended - began, "setup_s": up - began, "story_s": ended - up}
        times = {key: round(seconds, 1) for key, seconds in times.items()}
        result = {**times, "speed": speed, "builder": told.builder(), "releases": releases}
        (home / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
        told.end(console, name, times, speed)
    return 0 if len(releases) == len(scenes) and all(one["as_expected"] for one in releases) else 1


@contextmanager
def taken_down(home: Path) -> Iterator[None]:
    """At its end the home's sandbox is taken down, unless KEEP asks to leave it up."""
    try:
        yield
    finally:
        if not os.environ.get("KEEP"):
            lifecycle.down(home)


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
            text = (folder / "stdout").read_text()
            return code, json.loads(text) if text.startswith("{") else {}

        yield command
        forks.end()


def _prompt(console: Console, *argv: str) -> tuple[str, ...]:
    console.print(f"\n[bold]$ tidegate {' '.join(argv)}[/bold]")
    return argv


def _environment(console: Console) -> dict[str, str]:
    return {**os.environ, "TIDEGATE_GUARD": "off", "COLUMNS": str(console.width)}


def _play(console: Console, scene: Scene, command: Command) -> dict[str, Any]:
    console.rule(scene.title)
    code, said = command(*scene.argv)
    regions, facts = asyncio.run(_seen(scene))
    live = {region["version"] for region in regions.values()}
    right = said.get("word") == scene.outcome and (scene.live is None or live == {scene.live})
    return {
        "pipeline": said.get("pipeline", scene.argv[0]),
        "version": said.get("version", scene.argv[-1]),
        "strategy": said.get("strategy", ""),
        "outcome": said.get("word", ""),
        "exit_code": code,
        "reason": said.get("reason", ""),
        "seconds": round(said.get("seconds", 0.0), 1),
        "failing_requests": sum(one["failing"] or 0 for one in said.get("harm", ())),
        "regions": regions,
        "facts": facts,
        "as_expected": right and all(fact["as_expected"] for fact in facts),
    }


async def _seen(scene: Scene) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What is live in the regions, and which of the scene's facts are so."""
    regions = await witness.regions(scene.environment)
    return regions, [{"fact": fact.title, "as_expected": await fact.holds()} for fact in scene.facts]
