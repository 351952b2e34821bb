"""A whole run on the sandbox as a trace, and its lines as JSON."""

from __future__ import annotations

import json

import pytest
from collector import collecting
from desk import Desk
from look import Look

pytestmark = pytest.mark.slow


def test_a_run_is_one_trace_of_region_steps_and_outside_calls(
    desk: Desk, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, sha = desk.add_version(branch="develop")
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("TIDEGATE_LOG_JSON", "1")
        result = desk.tidegate("develop")
        assert result.word == "released", result.text
        paths = [collector.path(span) for span in collector.spans]
        traces = {span.trace_id for span in collector.spans}
        metrics = collector.metrics
    assert version
    assert len(traces) == 1, "one release, one trace"
    root = "develop by ada"
    assert {path[0] for path in paths} == {root}
    region = f"development: dev-{sha}"
    steps = [path for path in paths if region in path and len(path) > path.index(region) + 1]
    assert any(path[-1].startswith("upgrade") or "upgrade" in path[-1] for path in steps), steps
    assert any(path[-1].startswith("kubernetes ") and len(path) >= path.index(region) + 3 for path in steps), steps
    assert any(path[-1].startswith("helm ") for path in steps), steps
    assert any(path[-1] == "git fetch" for path in paths)
    assert metrics == {"tidegate.duration"}
    lines = [json.loads(line) for line in result.text.splitlines() if line.startswith("{")]
    run = result.outcome["run"]
    assert {line["run"] for line in lines if line["message"]} == {run}
    assert any(line["region"] == "development" and line["step"] for line in lines)
