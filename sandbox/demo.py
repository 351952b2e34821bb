"""`make demo`: a good release, a bad one that is taken back, and one that is refused, as a user would do them.

Everything is done through the command line; what is reported is read afterwards from helm, the API server and the
registry, not from what a flow believes.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from config import load
from sandbox import lifecycle, state, witness

SPEED = 20


@dataclass(frozen=True, slots=True)
class Scene:
    """One command, and what has to come of it: `live` is the version in every region of its environment."""

    title: str
    argv: tuple[str, ...]
    outcome: str
    live: str


SCENES = (
    Scene("Stage v1.4.0: test, build once, deploy, verify", ("stage", "v1.4.0"), "released", "1.4.0"),
    Scene("Release v1.4.0 to three regions", ("release", "v1.4.0"), "released", "1.4.0"),
    Scene("Stage v1.5.0: good in staging", ("stage", "v1.5.0"), "released", "1.5.0"),
    Scene("Release v1.5.0: it crashes on start in ap-southeast-1", ("release", "v1.5.0"), "recovered", "1.4.0"),
    Scene("Release v1.6.0, which staging never verified", ("release", "v1.6.0"), "refused", "1.4.0"),
)


def main() -> int:
    """0 when everything went as it should; 1 otherwise."""
    console = Console()
    began = time.monotonic()
    home = load.home()
    if state.holder(home) is not None or state.read(home) is not None:
        console.print("A sandbox of this checkout is there already: it is taken down and its data removed.")
        lifecycle.down(home)
    lifecycle.purge(home)
    try:
        ready = _tidegate(console, "sandbox", "up", "--speed", str(SPEED))[0] == 0
        releases = [_play(console, scene) for scene in SCENES] if ready else []
        good = ready and _show(console, releases)
        _write({"wall_s": round(time.monotonic() - began, 1), "speed": SPEED, "releases": releases})
        _end(console, began)
    finally:
        if not os.environ.get("KEEP"):
            lifecycle.down(home)
    return 0 if good else 1


def _tidegate(console: Console, *argv: str, as_json: bool = False) -> tuple[int, str]:
    console.print(f"\n[bold]$ tidegate {' '.join(argv)}[/bold]")
    command = [sys.executable, "-m", "deployments.cli", *argv, *(["--json"] if as_json else [])]
    environment = {**os.environ, "COLUMNS": str(console.width)}
    done = subprocess.run(
        command, stdout=subprocess.PIPE if as_json else None, env=environment, text=True, check=False, cwd=load.CHECKOUT
    )
    return done.returncode, done.stdout or ""


def _play(console: Console, scene: Scene) -> dict[str, Any]:
    console.rule(scene.title)
    code, text = _tidegate(console, *scene.argv, as_json=True)
    told = json.loads(text) if text.strip().startswith("{") else {}
    pipeline = told.get("pipeline", scene.argv[0])
    regions = asyncio.run(witness.regions("staging" if pipeline == "staging" else "production"))
    return {
        "pipeline": pipeline,
        "version": told.get("version", scene.argv[-1]),
        "strategy": told.get("strategy", ""),
        "outcome": told.get("word", ""),
        "exit_code": code,
        "reason": told.get("reason", ""),
        "seconds": round(told.get("seconds", 0.0), 1),
        "regions": regions,
        "as_expected": told.get("word") == scene.outcome
        and {region["version"] for region in regions.values()} == {scene.live},
    }


def _show(console: Console, releases: list[dict[str, Any]]) -> bool:
    console.rule("What happened")
    table = Table("pipeline", "version", "outcome", "took", "live afterwards", "as expected")
    for one in releases:
        live = ", ".join(f"{name} v{region['version']}" for name, region in one["regions"].items())
        expected = "yes" if one["as_expected"] else "[red]NO[/red]"
        table.add_row(one["pipeline"], one["version"], one["outcome"], f"{one['seconds']} s", live, expected)
    console.print(table)
    for one in releases:
        if one["reason"]:
            console.print(f"{one['version']} {one['outcome']}: {one['reason']}", markup=False, highlight=False)
    final = Table("region", "live", "ready pods", "digest of every Ready pod", title="Production now")
    for name, region in releases[-1]["regions"].items():
        final.add_row(name, f"v{region['version']}", str(region["ready"]), region["digest"][:27])
    console.print(final)
    return all(one["as_expected"] for one in releases)


def _end(console: Console, began: float) -> None:
    found = state.read(load.home())
    if found is None:
        return
    console.rule("Slack (simulated)")
    for message in httpx.get(f"{found.control}/api/state", timeout=5, trust_env=False).json().get("slack", []):
        console.print(f"#{message['channel']}: {message['text']}\n", markup=False, highlight=False)
    console.print(f"Took {time.monotonic() - began:.0f} s at speed {SPEED}; written to {load.home() / 'demo.json'}.")
    if os.environ.get("KEEP"):
        console.print("Left up; `tidegate sandbox down` ends it.")
        for part in found.parts:
            if part.address:
                console.print(f"  {part.name:<24} {part.address}", markup=False, highlight=False)
        console.print(f"  {'kubeconfig':<24} {found.kubeconfig}", markup=False, highlight=False)


def _write(result: dict[str, Any]) -> None:
    (load.home() / "demo.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
