"""`tidegate status`: what is live where and what is under way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from config import load
from deployments.cli.show import moment, table
from release.versions import shown

if TYPE_CHECKING:
    from deployments.views import ApprovalView, LockView, Overview, RegionView


def status(
    environment: Annotated[str | None, typer.Option(help="Only this environment.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what is live where, by the digests of the Ready pods, with slots and weights; who holds which lock; which
    releases run, and which wait for approval.

    Example: `tidegate status --environment production`.
    """
    from deployments import overview

    names = [environment] if environment else list(load.ENVIRONMENTS)
    found = asyncio.run(overview.read([load.environment(name) for name in names]))
    if as_json:
        Console().print_json(data=found.as_dict())
        return
    _show(Console(), found)


def _show(console: Console, found: Overview) -> None:
    head = ("region", "live", "ready", "digest", "blue/green", "blue", "green", "since (UTC)")
    table(console, head, map(_row, found.regions))
    for line in _lines(found):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for title, runs in (("running", found.running), ("waiting", found.waiting)):
        rows = [(run.id[:8], run.flow, run.name, run.state, moment(run.began)) for run in runs]
        table(console, (title, "pipeline", "what", "state", "since (UTC)"), rows)


def _row(one: RegionView) -> tuple[str, ...]:
    place = one.environment if one.environment == one.region else f"{one.environment} {one.region}"
    digest = one.digest.removeprefix("sha256:")[:12] or "-"
    live = shown(one.version) if one.version else "-"
    return place, live, str(one.ready), digest, one.weights, _slot(one, "blue"), _slot(one, "green"), moment(one.since)


def _slot(one: RegionView, name: str) -> str:
    slot = one.slots.get(name)
    return f"{shown(slot.version)} {slot.ready}/{slot.pods}" if slot and slot.version else "-"


def _lines(found: Overview) -> list[str]:
    """What a table has no room for."""
    lines = []
    for one in found.regions:
        lines += [f"{one.environment} {one.region}: {one.note}"] if one.note else []
        kept = f"{one.environment} {one.region}: the other slot is kept until {moment(one.kept_until)} UTC"
        lines += [kept] if one.kept_until else []
    lines += [_lock(lock) for lock in found.locks]
    lines += [_approval(waits) for waits in found.approvals]
    return [*lines, found.silent] if found.silent else lines


def _lock(lock: LockView) -> str:
    lapsed = " (lapsed)" if lock.lapsed else ""
    rest = "; ".join(part for part in (lock.note, *lock.orders) if part)
    holder = f"{lock.what}, started by {lock.who}, run {lock.run}"
    return f"{lock.environment} is locked{lapsed} by {holder}{'; ' + rest if rest else ''}"


def _approval(one: ApprovalView) -> str:
    names = f" ({', '.join(one.approved)})" if one.approved else ""
    told = f"{one.environment}: {one.what}, asked for by {one.requester}, waits for its {one.waiting}: "
    told += f"{len(one.approved)} of {one.needed} approved{names}"
    return f"{told}; `tidegate approve {one.run[:8]}`" if one.waiting == "approvals" else told
