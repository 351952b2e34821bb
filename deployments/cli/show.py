"""How rows and moments look on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Characters of a last column that is cut.
_LEAST = 30


def moment(iso: str) -> str:
    """`2026-11-23 08:15` of an ISO 8601 time; `-` of nothing."""
    return iso[:16].replace("T", " ") or "-"


def table(console: Console, head: Sequence[str], rows: Iterable[Sequence[str]], *, short: bool = False) -> None:
    """A plain table; nothing where there are no rows. Cells are text, never markup.

    Only the last column takes more than one line, or is cut where the table is to be `short`.
    """
    found = list(rows)
    if not found:
        return
    if short:
        widths = (
            max(len(cell) for cell in cells) + 2 for cells in zip(head[:-1], *(row[:-1] for row in found), strict=True)
        )
        room = max(_LEAST, console.width - sum(widths) - 4)
        found = [(*row[:-1], row[-1] if len(row[-1]) < room else f"{row[-1][: room - 2]}…") for row in found]
    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for title in head[:-1]:
        drawn.add_column(title, no_wrap=True)
    drawn.add_column(head[-1])
    for row in found:
        drawn.add_row(*(Text(cell) for cell in row))
    console.print(drawn)
