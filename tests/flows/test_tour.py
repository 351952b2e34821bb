"""`make tour`, as a user runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from stories import told

pytestmark = pytest.mark.slow
# Pipeline, version (empty: a commit), strategy, outcome; and what is live then where it was deployed.
EXPECTED = [
    ("development", "", "rolling", "built", None),
    ("development", "", "rolling", "released", None),
    ("staging", "1.3.0", "rolling", "released", "1.3.0"),
    ("production", "1.3.0", "rolling", "released", "1.3.0"),
    ("staging", "1.4.0", "rolling", "released", "1.4.0"),
    ("production", "1.4.0", "blue-green", "released", "1.4.0"),
    ("staging", "1.5.0", "rolling", "released", "1.5.0"),
    ("production", "1.5.0", "rolling", "recovered", "1.4.0"),
    ("quarantine", "1.5.0", "", "lifted", "1.4.0"),
    ("production", "1.5.0", "blue-green", "recovered", "1.4.0"),
    ("staging", "1.6.0", "rolling", "released", "1.6.0"),
    ("production", "1.6.0", "canary", "released", "1.6.0"),
    ("staging", "1.7.0", "rolling", "released", "1.7.0"),
    ("production", "1.7.0", "canary", "recovered", "1.6.0"),
    ("hotfix", "1.6.1", "rolling", "released", "1.6.1"),
    ("rollback", "1.6.0", "rollback", "released", "1.6.0"),
]
FACTS = {
    0: {"its image", "deployed nowhere"},
    1: {"its image is live"},
    14: {"annotated tag", "GitHub release", "merged into main", "merged into develop"},
}


def test_the_tour_tells_every_pipeline_and_strategy(tmp_path: Path) -> None:
    done, written = told("tour", tmp_path, columns=200, timeout=1800)
    found = []
    for one, (_, version, _, _, live) in zip(written["releases"], EXPECTED, strict=True):
        serving = {region["version"] for region in one["regions"].values()}
        assert live is None or serving == {live}, one
        shown = one["version"] if version else ""
        found.append((one["pipeline"], shown, one["strategy"], one["outcome"], live))
    assert found == EXPECTED
    looked = {number: one["facts"] for number, one in enumerate(written["releases"]) if one["facts"]}
    assert {number: {fact["fact"] for fact in facts} for number, facts in looked.items()} == FACTS
    for facts in looked.values():
        assert all(fact["as_expected"] for fact in facts)
        for fact in facts:
            assert fact["fact"] in done.stdout
    bad = [one for one in written["releases"] if one["outcome"] == "recovered"]
    assert all(one["reason"] and one["exit_code"] == 3 for one in bad)
    assert bad[-1]["failing_requests"] > 0
