"""`tidegate sandbox ...`: the outside world on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from config import load
from release.errors import Refused
from sandbox import cli_live, lifecycle, state
from sandbox.options import Options, own_cluster

app = typer.Typer(
    help="The outside world on loopback: a real control plane, registry, git and Prefect; simulated nodes and users.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@app.command(epilog="Example: `tidegate sandbox up --speed 20`")
def up(
    speed: Annotated[float, typer.Option(help="Divides every wait and multiplies the users.")] = 1.0,
    regions: Annotated[int, typer.Option(help="Production regions, 1 to 64.")] = 3,
    users: Annotated[float, typer.Option(help="Requests a second in each region, at speed 1.")] = 20.0,
    prefect: Annotated[bool, typer.Option(help="Start the Prefect server too.")] = True,
    prometheus: Annotated[bool, typer.Option("--prometheus", help="Judge through a real Prometheus server.")] = False,
    rules: Annotated[Path | None, typer.Option(help="Alert rules for that Prometheus.")] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Also a worker and GitHub's webhooks: a push starts runs.")
    ] = False,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay; end with Ctrl-C.")] = False,
) -> None:
    """Start everything and point Tidegate's settings at it. The first start builds a control plane (minutes)."""
    home, cache = load.home(), load.cache()
    running = state.holder(home)
    if running is not None:
        lifecycle.join(home, running, typer.echo)
        _require_parts(state.read(home), {"prometheus": prometheus, "serve": serve})
        typer.echo(f"The sandbox is already up (process {running}). See: tidegate sandbox status")
        return
    options = Options(
        speed,
        regions,
        users,
        prefect=prefect,
        kubeconfig=own_cluster(),
        prometheus=prometheus,
        rules=str(rules.absolute()) if rules else None,
        serve=serve,
    ).check()
    _ask_for_an_engine()
    if foreground:
        command = lifecycle.command(home, cache, options)
        os.chdir(lifecycle.CHECKOUT)
        os.execv(command[0], command)  # noqa: S606 - our own interpreter, with an argument list
    lifecycle.up(home, cache, options, typer.echo)
    _show(state.read(home))


@app.command(epilog="Example: `tidegate sandbox status --json`")
def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Say what runs, where, and what is simulated. Exit code 0 while it is ready, 5 otherwise."""
    home = load.home()
    running, found = state.holder(home), state.read(home)
    ready = running is not None and found is not None and found.pid == running and found.phase == "ready"
    dead = [p.name for p in found.processes if not state.alive(p)] if found and running else []
    if as_json:
        whole = {"up": running is not None, "ready": ready and not dead, "dead": dead}
        typer.echo(json.dumps(whole | {"state": asdict(found) if found else None}, indent=1))
    elif running is None:
        typer.echo(f"The sandbox is down.{_end_of(found)} Start it with: tidegate sandbox up")
    else:
        _show(found)
        if dead:
            typer.echo(f"Ended by themselves: {', '.join(dead)}. Next: tidegate sandbox down, then up.")
    raise typer.Exit(0 if ready and not dead else 5)


@app.command(epilog="Example: `tidegate sandbox down --purge`")
def down(purge: Annotated[bool, typer.Option("--purge", help="Remove its data too.")] = False) -> None:
    """End what `up` started, and check that nothing of it is left."""
    home = load.home()
    was_up = state.holder(home) is not None
    forced = lifecycle.down(home)
    if purge:
        lifecycle.purge(home)
    names = ", ".join(process.name for process in forced)
    ended = f" Ended by force: {names}." if forced else ""
    removed = " Its data is removed." if purge else ""
    typer.echo(("The sandbox is down." if was_up else "The sandbox was not up.") + ended + removed)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="Example: `tidegate sandbox kubectl -- --context staging get pods`",
)
def kubectl(context: typer.Context) -> None:
    """Run kubectl with the sandbox's kubeconfig; everything after `--` is kubectl's."""
    home = load.home()
    found = state.read(home)
    if state.holder(home) is None or found is None or not found.kubectl:
        raise Refused("the sandbox is not up.", next_step="Start it with: tidegate sandbox up")
    arguments = [found.kubectl, "--kubeconfig", found.kubeconfig, *context.args]
    raise typer.Exit(subprocess.run(arguments, check=False).returncode)


def _ask_for_an_engine() -> None:
    """Before anything is started: nobody could answer the supervisor. Only root could install one."""
    if sys.stdin.isatty() and os.geteuid() == 0 and not os.environ.get("TIDEGATE_ENGINE"):
        # Only here: Docker's package takes a while to import.
        from sandbox.engine_install import decision

        if (word := asyncio.run(decision(typer.confirm))) is not None:
            os.environ["TIDEGATE_ENGINE"] = word


def _require_parts(found: state.State | None, asked: dict[str, bool]) -> None:
    """Raises Refused where the sandbox that is up was started without a part that is asked for."""
    there = {part.name for part in found.parts} if found else set()
    left_out = [f"--{name}" for name, wanted in asked.items() if wanted and name not in there]
    if left_out:
        raise Refused(
            f"the sandbox is already up, without {' and '.join(left_out)}.",
            field=left_out[0],
            next_step="Take it down first (tidegate sandbox down); a worker can be started beside it: "
            "tidegate serve --worker.",
        )


def _end_of(found: state.State | None) -> str:
    if found is None:
        return ""
    if found.error:
        return f" It ended by itself: {found.error}"
    return " It was not taken down in order: its supervisor is gone."


def _show(found: state.State | None) -> None:
    if found is None:
        typer.echo("The sandbox is starting.")
        return
    width = max((len(part.name) for part in found.parts), default=0)
    for part in found.parts:
        detail = f"  {part.detail}" if part.detail else ""
        typer.echo(f"  {part.name:<{width}}  {part.kind:<9}  {part.seconds:5.1f} s  {part.address}{detail}")
    if found.phase != "ready":
        typer.echo(f"The sandbox is not ready: {found.phase}. {found.error}")
        return
    typer.echo(f"Ready after {found.ready_after:.1f} s, at speed {found.speed:g}. Live page: {found.control}")


cli_live.attach(app)
