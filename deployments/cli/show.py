"""How rows and moments look on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import accumulate

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

# The least room, in characters, in which a last column is wrapped or cut.
_LEAST = 30
# Between two columns.
_GAP = 2


def moment(iso: str) -> str:
    """`2026-11-23 08:15` of an ISO 8601 time; `-` of nothing."""
    return iso[:16].replace("T", " ") or "-"


def table(console: Console, head: Sequence[str], rows: Iterable[Sequence[str]], *, short: bool = False) -> None:
    """A plain table; nothing where there are no rows. Cells are text, never markup.

    On a terminal only the last column takes more than one line, or is cut where the table is to be `short`; columns
    that find no room stand below their row. Elsewhere, for `grep` and `less`, a row is one whole line.
    """
    found = [tuple(row) for row in rows]
    if not found:
        return
    widths = [max(map(cell_len, column)) + _GAP for column in zip(head, *found, strict=True)]
    room = console.width - sum(widths[:-1]) - _GAP
    if console.is_terminal and room >= min(_LEAST, widths[-1]):
        if short:
            found = [(*row[:-1], textwrap.shorten(row[-1], room - _GAP, placeholder=" …")) for row in found]
        _draw(console, head, found)
        return
    fit = max(1, sum(total < console.width for total in accumulate(widths))) if console.is_terminal else len(head)
    _stack(console, head, found, widths[:fit], short=short)


def _draw(console: Console, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for title in head[:-1]:
        drawn.add_column(title, no_wrap=True)
    drawn.add_column(head[-1])
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console.print(drawn)


def _stack(
    console: Console, head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], *, short: bool
) -> None:
    """As many columns as there are `widths`, and below each row what the others say."""
    fit = len(widths)

    def line(cells: Sequence[str]) -> str:
        padded = map(set_cell_size, cells[:fit], widths)
        return f" {''.join(padded)}".rstrip()

    console.print(Text(f"\n{line(head)}", style="bold"), soft_wrap=True)
    for row in rows:
        console.print(Text(line(row)), soft_wrap=True)
        rest = zip(head[fit:], row[fit:], strict=True)
        below = [f"{title} {cell}".strip() for title, cell in rest if cell not in ("", "-")]
        wrapped = textwrap.wrap("; ".join(below), console.width - 4, max_lines=1 if short else None, placeholder=" …")
        for text in wrapped:
            console.print(Text(f"   {text}", style="dim"), soft_wrap=True)
    console.print()
