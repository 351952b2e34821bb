"""Lines as JSON, each with run, region and step."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from tasks import logs


def line(message: str = "told", error: bool = False, **extra: Any) -> dict[str, Any]:
    record = logging.LogRecord("prefect.flow_runs", logging.WARNING, "", 1, message, (), None)
    if error:
        try:
            int("no")
        except ValueError:
            record.exc_info = sys.exc_info()
    record.__dict__.update(extra)
    return dict(json.loads(logs.JsonLines().format(record)))


def test_a_line_says_of_which_run_region_and_step_it_is() -> None:
    found = line(
        flow_run_id="r1", flow_name="region", flow_run_name="us-east-1: 1.4.0", task_run_name="shift us-east-1"
    )
    assert (found["run"], found["region"], found["step"]) == ("r1", "us-east-1", "shift us-east-1")
    assert (found["level"], found["message"]) == ("WARNING", "told")
    assert found["time"].endswith("+00:00")


def test_what_is_said_of_a_region_names_it_in_the_top_flow_too() -> None:
    found = line(flow_run_id="r1", flow_name="production", flow_run_name="v1.4.0 by ada", region="eu-west-1")
    assert (found["region"], found["step"]) == ("eu-west-1", "production")
    assert line(region=None)["region"] == ""


@pytest.mark.parametrize(
    ("flow", "run", "step", "region"),
    [
        ("recover", "back from v1.7.0", "us-east-1: weight of green 0", "us-east-1"),
        ("recover", "back from v1.7.0", "observe eu-west-1", "eu-west-1"),
        ("production", "v1.7.0 by ada", "ap-southeast-1", "ap-southeast-1"),
        ("retire", "production by ada", "us-east-1: uninstall blue", "us-east-1"),
        ("recover", "back from v1.7.0", "", ""),
        ("production", "v1.7.0 by ada", "lock production", ""),
        ("production", "v1.7.0 by ada", "build us", ""),
    ],
)
def test_a_step_in_a_run_of_all_regions_names_its_own(flow: str, run: str, step: str, region: str) -> None:
    found = line(flow_run_id="r1", flow_name=flow, flow_run_name=run, task_run_name=step)
    assert found["region"] == region


def test_a_configuration_that_cannot_be_read_ends_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_CONFIG", str(tmp_path))
    found = line(flow_run_id="r1", flow_name="recover", task_run_name="observe eu-west-1")
    assert (found["region"], found["step"]) == ("", "observe eu-west-1")


def test_a_line_of_no_run_and_one_with_an_error_are_whole_too() -> None:
    assert (line()["run"], line()["step"]) == ("", "")
    found = line("two\nlines", error=True)
    assert found["message"] == "two\nlines"
    assert "ValueError: invalid literal" in found["error"]


@pytest.mark.parametrize(("value", "wanted"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_it_is_done_on_request(value: str | None, wanted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(logs.WANTED, raising=False)
    if value is not None:
        monkeypatch.setenv(logs.WANTED, value)
    assert logs.wanted() is wanted
