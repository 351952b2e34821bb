"""How rows and moments look on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def moment(iso: str) -> str:
    """`2026-11-23 08:15` of an ISO 8601 time; `-` of nothing."""
    return iso[:16].replace("T", " ") or "-"


def table(console: Console, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A plain table; nothing where there are no rows. Cells are text, never markup."""
    found = list(rows)
    if not found:
        return
    drawn = Table(*head, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for row in found:
        drawn.add_row(*(Text(cell) for cell in row))
    console.print(drawn)
