"""`tidegate report`: how well the team releases."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from deployments.cli.release import Json
from deployments.cli.show import table

if TYPE_CHECKING:
    from release.dora_report import Report


def report(
    days: Annotated[int, typer.Option(min=1, max=366, help="The last so many days, beside as many before.")] = 7,
    slack: Annotated[bool, typer.Option("--slack", help="Tell #releases too.")] = False,
    as_json: Json = False,
) -> None:
    """Show DORA's five measures of production: frequency, lead time, fail rate, recovery time, rework rate.

    Example: `tidegate report --days 30`.
    """
    from release import dora_report

    found = asyncio.run(_read(days, slack))
    if as_json:
        Console().print_json(data={"now": asdict(found.now), "before": asdict(found.before)})
        return
    head = ("measure", f"last {days} days", "before")
    table(Console(), head, dora_report.rows(found))


async def _read(days: int, slack: bool) -> Report:
    from release import dora_report
    from tasks import context
    from tasks.report import up_to_date

    found = await up_to_date(days)
    if slack:
        client = await context.slack()
        await client.post("releases", dora_report.slack(found))
    return found
