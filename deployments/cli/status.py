"""`tidegate status`: what is live where, read from the clusters."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from config import load
from release import health
from release.environment import Environment, Region
from release.errors import TidegateError
from release.model import RegionState
from release.versions import shown


def status(
    environment: Annotated[str | None, typer.Option(help="Only this environment.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what is live where, by the digests of the Ready pods, and who holds which lock.

    Example: `tidegate status --environment production`.
    """
    names = [environment] if environment else list(load.ENVIRONMENTS)
    rows = asyncio.run(_rows([load.environment(name) for name in names]))
    if as_json:
        Console().print_json(data={"target": load.settings().target, "regions": rows})
        return
    console = Console()
    table = Table(
        "region", "live", "ready", "digest", "blue/green", "since (UTC)", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    for row in rows:
        place = row["environment"] if row["environment"] == row["region"] else f"{row['environment']} {row['region']}"
        digest = row["digest"].removeprefix("sha256:")[:12] or "-"
        since = row["since"][:16].replace("T", " ")
        live = shown(row["version"]) if row["version"] else "-"
        table.add_row(place, live, str(row["ready"]), digest, row["weights"], since)
    console.print(table)
    for row in rows:
        for text in (row["lock"], row["note"]):
            if text:
                console.print(f"{row['environment']} {row['region']}: {text}", markup=False, highlight=False)


async def _rows(environments: list[Environment]) -> list[dict[str, Any]]:
    pairs = [(each, region) for each in environments for region in each.regions.values()]
    rows = await asyncio.gather(*(_row(each, region) for each, region in pairs))
    holders = await asyncio.gather(*(_holder(each) for each in environments))
    for each, holder in zip(environments, holders, strict=True):
        next(row for row in rows if row["environment"] == each.name)["lock"] = holder
    return list(rows)


async def _holder(environment: Environment) -> str:
    """Who holds the environment's lock; it is kept in its first region."""
    from clients.lock import Lock

    settings = load.settings()
    region = next(iter(environment.regions.values()))
    try:
        async with Lock(
            settings.kubeconfig.expanduser(), region.context, region.namespace, settings.application.name
        ) as lock:
            state = await lock.read()
    except TidegateError:
        return ""
    if state.held is None:
        return ""
    holder = state.held.holder
    lapsed = " (lapsed)" if state.now >= state.held.lapses else ""
    return f"locked{lapsed} by {holder.what}, started by {holder.who}, run {holder.run} {holder.note}".rstrip()


async def _row(environment: Environment, region: Region) -> dict[str, Any]:
    from clients.cluster import Cluster

    settings = load.settings()
    row: dict[str, Any] = {"environment": environment.name, "region": region.name, "address": region.address}
    empty = {"version": "", "digest": "", "ready": 0, "since": "", "weights": "", "lock": ""}
    try:
        async with Cluster(settings.kubeconfig.expanduser(), region.context, region.namespace) as cluster:
            state = await cluster.observe(settings.application.name, region.name)
    except TidegateError as error:
        return {**row, **empty, "note": str(error)}
    return {**row, **empty, **_live(state)}


def _live(state: RegionState) -> dict[str, Any]:
    route, pods = state.route, state.slot(state.live_slot).pods
    digests = sorted(health.ready_digests(pods))
    live = route.live if route else None
    note = "" if live or not pods else "never verified"
    if live and digests != [live.artifact.digest]:
        note = "the Ready pods are not what was recorded: " + (", ".join(d[:19] for d in digests) or "none")
    return {
        "version": live.artifact.version if live else "",
        "digest": digests[0] if len(digests) == 1 else "",
        "ready": sum(pod.ready and not pod.terminating for pod in pods),
        "since": live.at if live else "",
        "weights": f"{route.blue}/{route.green}" if route else "",
        "note": note,
    }
