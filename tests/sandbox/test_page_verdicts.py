"""The page follows what a run writes while it judges."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from release.verdict import Block, Counts, Entry, Kind, Policy, course, record
from sandbox.page.verdicts import Verdicts

POLICY = Policy(latency=None)
BAD = [Entry(float(second), 10, Block(1.0, Counts(5, 2), Counts(45, 0))) for second in range(1, 30)]


def write(runs: Path, run: str, entries: list[Entry], region: str = "us-east-1", given: str = "") -> Path:
    path = runs / run / f"verdict-{region}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(record.dump(record.Stored(POLICY, entries, f"{region}: v1.7.0", given)))
    return path


def test_without_any_run_there_is_nothing(tmp_path: Path) -> None:
    verdicts = Verdicts(tmp_path / "runs")
    assert verdicts.newest() == []
    assert verdicts.draw("us-east-1") is None


def test_it_goes_on_where_it_ended(tmp_path: Path) -> None:
    path, verdicts = write(tmp_path, "run", BAD[:3]), Verdicts(tmp_path)
    (first,) = verdicts.newest()
    assert (first.region, first.run, first.title, first.polls, first.ended) == (
        *("us-east-1", "run", "us-east-1: v1.7.0"),
        *(3, False),
    )
    lines = "".join(map(record.line, BAD[3:]))
    with path.open("a") as file:
        file.write(lines[:-20])
    assert verdicts.newest()[0].polls == len(BAD) - 1, "half a line waits for its other half"
    with path.open("a") as file:
        file.write(lines[-20:] + record.end("over"))
    (last,) = verdicts.newest()
    assert (last.polls, last.ended) == (len(BAD), True)
    given = course(POLICY, BAD)[-1]
    assert given.kind is Kind.ROLLBACK
    assert last.sentence == given.sentence
    drawn = verdicts.draw("us-east-1")
    assert drawn is not None
    words = " ".join(each.text or "" for each in ET.fromstring(drawn).iter())
    assert "us-east-1: v1.7.0" in words
    assert "ROLLBACK after" in words


def test_the_newest_run_of_each_region_is_shown(tmp_path: Path) -> None:
    old, new = write(tmp_path, "old", BAD), write(tmp_path, "new", BAD[:5])
    write(tmp_path, "old", BAD[:2], "eu-west-1")
    os.utime(old, (1, 1))
    os.utime(new, (9, 9))
    assert [(one.region, one.run, one.polls) for one in Verdicts(tmp_path).newest()] == [
        ("eu-west-1", "old", 2),
        ("us-east-1", "new", 5),
    ]


@pytest.mark.parametrize("text", ["", "{}\n", '{"policy": {"weights": 3}}\n', "[1]\n"])
def test_a_file_that_is_none_is_left_out(tmp_path: Path, text: str) -> None:
    write(tmp_path, "run", BAD).write_text(text)
    assert Verdicts(tmp_path).newest() == []


def test_a_run_that_starts_its_file_again_is_followed_again(tmp_path: Path) -> None:
    write(tmp_path, "run", BAD)
    verdicts = Verdicts(tmp_path)
    verdicts.newest()
    write(tmp_path, "run", BAD[:2])
    assert verdicts.newest()[0].polls == 2
