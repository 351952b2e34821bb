"""`tidegate verdict`: what was stored gives the verdict that was given."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli.main import app
from release.errors import Failed, Refused
from release.verdict import Block, Counts, Entry, Policy, course, record

BAD = tuple(Entry(float(second), 10, Block(1.0, Counts(5, 2), Counts(45, 0))) for second in range(1, 30))
GIVEN = course(Policy(), BAD)[-1].sentence


def stored(folder: Path, given: str) -> str:
    path = folder / "verdict-us-east-1.jsonl"
    path.write_text(record.dump(record.Stored(Policy(), BAD, "us-east-1: v1.7.0", given)))
    return str(path)


def test_the_same_counts_give_the_same_verdict_and_picture(tmp_path: Path) -> None:
    chart = tmp_path / "course.svg"
    done = CliRunner().invoke(app, ["verdict", stored(tmp_path, GIVEN), "--chart", str(chart)])
    assert done.exit_code == 0, done.output
    assert GIVEN.startswith("ROLLBACK after")
    assert GIVEN in done.output
    assert "The same verdict as was given." in done.output
    assert GIVEN[:40] in " ".join(each.text or "" for each in ET.fromstring(chart.read_text()).iter())


def test_a_run_that_was_killed_left_what_it_had_seen(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["verdict", stored(tmp_path, "")])
    assert done.exit_code == 0
    assert "broke off" in done.output


def test_a_file_that_was_changed_is_found_out(tmp_path: Path) -> None:
    path = Path(stored(tmp_path, GIVEN))
    path.write_text(path.read_text().replace('"canary":[5,2]', '"canary":[5,0]'))
    with pytest.raises(Failed, match="was another: ROLLBACK"):
        CliRunner().invoke(app, ["verdict", str(path)], catch_exceptions=False)


@pytest.mark.parametrize("text", ["", "# a page\n", "{}\n"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    for each in (path, tmp_path / "none"):
        with pytest.raises(Refused) as error:
            CliRunner().invoke(app, ["verdict", str(each)], catch_exceptions=False)
        assert error.value.field == "file"
