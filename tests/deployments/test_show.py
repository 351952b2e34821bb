from __future__ import annotations

from rich.console import Console

from deployments.cli import show

HEAD = ("run", "what", "why")
ROW = ("3f2a0000", "v1.5.0 by ada", "us-east-1: it crashes, " * 20)


def lines(width: int, *, short: bool) -> list[str]:
    console = Console(width=width, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        show.table(console, HEAD, [ROW], short=short)
    return [line for line in captured.get().splitlines() if line.strip()]


def test_only_the_last_column_gives_way() -> None:
    for short in (True, False):
        found = lines(100, short=short)
        assert any(ROW[0] in line and ROW[1] in line for line in found)
        assert max(len(line) for line in found) <= 100
    assert len(lines(100, short=True)) == 3
    assert "…" in lines(100, short=True)[-1]
    assert len(lines(100, short=False)) > 3


def test_a_moment_is_short_and_nothing_is_a_dash() -> None:
    assert show.moment("2026-11-23T08:15:59Z") == "2026-11-23 08:15"
    assert show.moment("") == "-"
