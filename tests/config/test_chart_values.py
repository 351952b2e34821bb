"""The files for the chart by itself say what Tidegate makes of an environment's file."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from config import load
from release import values

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", load.ENVIRONMENTS)
def test_they_are_the_same_values(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    environment = load.environment(name, speed=1)
    made = values.of_slot(environment, next(iter(environment.regions.values())), "shop", "blue")
    alone = yaml.safe_load((ROOT / "infrastructure" / "values" / f"{name}.yaml").read_text())
    assert {key: made.get(key) for key in alone} == alone


def test_production_gets_what_its_file_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    environment = load.environment("production", speed=1)
    made = values.of_slot(environment, next(iter(environment.regions.values())), "shop", "blue")
    assert made["resources"] == {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}
    assert (made["disruptionBudget"], made["progressDeadlineSeconds"]) == ({"maxUnavailable": "20%"}, 1200)
