"""The table of regions as Slack shows it."""

from __future__ import annotations

from release.outcome import RegionResult
from release.tables import plain


def test_its_columns_are_as_wide_as_what_is_in_them() -> None:
    results = (
        RegionResult("us-east-1", "recovered", "1.4.0", ready=10, seconds=2.14),
        RegionResult("ap-southeast-1", "halted", seconds=64),
    )
    assert plain(results).splitlines() == [
        "```",
        "region          outcome    live    ready  took",
        "us-east-1       recovered  v1.4.0  10     2.1 s",
        "ap-southeast-1  halted             0      1 min 4 s",
        "```",
    ]
    assert plain(()) == ""
