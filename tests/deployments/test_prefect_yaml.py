"""`prefect.yaml`: what it names is there, and what its schedules and triggers give is what the flows take."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest
import yaml

from config import load

WHOLE = yaml.safe_load((load.CHECKOUT / "prefect.yaml").read_text())
DEPLOYMENTS: dict[str, dict[str, Any]] = {one["name"]: one for one in WHOLE["deployments"]}


def schema(deployment: dict[str, Any]) -> dict[str, Any]:
    module, _, name = deployment["entrypoint"].rpartition(".")
    flow = getattr(import_module(module), name)
    assert flow.name == deployment["name"]
    return flow.parameters.model_dump()


def test_every_pipeline_is_there() -> None:
    pipelines = {"development", "staging", "production", "hotfix", "rollback", "retire", "guard", "drift", "report"}
    assert set(DEPLOYMENTS) == pipelines
    assert {name for name, one in DEPLOYMENTS.items() if one.get("schedules")} == {
        "staging",
        "guard",
        "retire",
        "drift",
        "report",
    }
    assert {one["work_pool"]["name"] for one in DEPLOYMENTS.values()} == {"tidegate"}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_schedules_and_triggers_give_what_the_flow_takes(name: str) -> None:
    deployment = DEPLOYMENTS[name]
    form = schema(deployment)
    given = [deployment.get("parameters", {})]
    given += [one.get("parameters", {}) for key in ("schedules", "triggers") for one in deployment.get(key, ())]
    for parameters in given:
        assert set(parameters) <= set(form["properties"])
        for key, value in parameters.items():
            words = form["properties"][key].get("enum")
            assert words is None or "{{" in str(value) or value in words
    for trigger in deployment.get("triggers", ()):
        assert set(form["required"]) <= set(trigger["parameters"]), "an event must give all that is required"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_parameter_has_a_help_text(name: str) -> None:
    for key, field in schema(DEPLOYMENTS[name])["properties"].items():
        assert re.search(r"\w{3}", field.get("description", "")), f"{name}.{key}"


def test_the_forms_offer_the_words_there_are() -> None:
    production = schema(DEPLOYMENTS["production"])["properties"]
    assert production["strategy"]["anyOf"][0]["enum"] == ["rolling", "blue-green", "canary"]
    assert production["regions"]["anyOf"][0]["items"]["enum"] == list(load.environment("production", speed=1).regions)
    assert schema(DEPLOYMENTS["hotfix"])["properties"]["severity"]["enum"] == ["critical", "high", "medium"]
    assert schema(DEPLOYMENTS["retire"])["properties"]["environment"]["enum"] == list(load.ENVIRONMENTS)


def test_only_the_guard_follows_prefects_own_events() -> None:
    expected = {name: [one["expect"] for one in each.get("triggers", ())] for name, each in DEPLOYMENTS.items()}
    assert expected["guard"] == [["prefect.flow-run.Released"]]
    for name in ("development", "staging", "production", "hotfix", "rollback"):
        assert expected[name] == [[f"tidegate.{name}.requested"]]
