from __future__ import annotations

from rich.console import Console

from deployments.cli import show

HEAD = ("run", "what", "why")
ROW = ("3f2a0000", "v1.5.0 by ada", "us-east-1: it crashes, " * 20)
REGION_HEAD = ("region", "live", "ready", "digest", "blue/green", "blue", "green", "since (UTC)")
REGION = ("production ap-southeast-1", "v1.6.0", "10", "f8fcfb6eba8f", "0/100", "-", "v1.6.0 10/10", "2026-11-23 23:28")


def lines(
    width: int,
    *,
    short: bool = False,
    terminal: bool = True,
    head: tuple[str, ...] = HEAD,
    row: tuple[str, ...] = ROW,
) -> list[str]:
    console = Console(width=width, force_terminal=terminal, color_system=None)
    with console.capture() as captured:
        show.table(console, head, [row], short=short)
    return [line.rstrip() for line in captured.get().splitlines() if line.strip()]


def test_only_the_last_column_gives_way() -> None:
    for short in (True, False):
        found = lines(100, short=short)
        assert any(ROW[0] in line and ROW[1] in line for line in found)
        assert max(len(line) for line in found) <= 100
    assert len(lines(100, short=True)) == 3
    assert "…" in lines(100, short=True)[-1]
    assert len(lines(100)) > 3


def test_what_finds_no_room_stands_below_its_row() -> None:
    found = lines(80, head=REGION_HEAD, row=REGION)
    assert found == [
        " region                     live    ready  digest        blue/green  blue",
        " production ap-southeast-1  v1.6.0  10     f8fcfb6eba8f  0/100       -",
        "   green v1.6.0 10/10; since (UTC) 2026-11-23 23:28",
    ]
    assert len(lines(120, head=REGION_HEAD, row=REGION)) == 3
    narrow = lines(50)
    assert narrow[1].split() == [ROW[0], *ROW[1].split()]
    assert max(len(line) for line in narrow) <= 50
    assert " ".join(narrow[2:]).split() == ["why", *ROW[2].split()]
    assert len(lines(50, short=True)) == 3
    assert lines(50, short=True)[-1].endswith("…")


def test_a_file_or_a_pipe_gets_a_row_as_one_whole_line() -> None:
    for short in (True, False):
        assert ROW[2].strip() in lines(80, short=short, terminal=False)[-1]
    assert lines(80, terminal=False, head=REGION_HEAD, row=REGION)[-1].split() == " ".join(REGION).split()


def test_a_moment_is_short_and_nothing_is_a_dash() -> None:
    assert show.moment("2026-11-23T08:15:59Z") == "2026-11-23 08:15"
    assert show.moment("") == "-"
