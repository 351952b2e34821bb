"""How a run's end is told."""

from __future__ import annotations

from release.outcome import RegionResult, halted


def test_a_reason_is_told_once_for_all_its_regions() -> None:
    results = [
        RegionResult("r1", "halted", reason="no way."),
        RegionResult("r2", "recovered"),
        RegionResult("r3", "halted", reason="no way."),
        RegionResult("r4", "halted", reason="not seen."),
    ]
    assert halted(results) == "r1, r3: no way. r4: not seen."
    assert halted(results[1:2]) == ""
