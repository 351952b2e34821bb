"""The dashboard, the alert rules' pages, and the chart that brings both to a cluster."""

from __future__ import annotations

import json
import os
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from clients.process import run
from clients.tools import ensure_helm

CHECKOUT = Path(__file__).parents[2]
MONITORING = CHECKOUT / "infrastructure" / "monitoring"
ALERTS = yaml.safe_load((MONITORING / "alerts.yml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
BOARD = json.loads((MONITORING / "dashboard.json").read_text())


async def render(*options: str) -> list[dict[str, Any]]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    helm = await ensure_helm(Path(os.environ.get("TIDEGATE_CACHE") or cache / "tidegate"), print)
    done = await run([str(helm), "template", "tidegate", str(MONITORING), *options], timeout=60)
    assert done.code == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def test_the_dashboard_is_what_its_script_makes() -> None:
    made = runpy.run_path(str(CHECKOUT / "scripts" / "dashboard.py"))["text"]()
    assert (MONITORING / "dashboard.json").read_text() == made, "run python scripts/dashboard.py"


def test_it_is_valid_by_grafanas_published_schema() -> None:
    """Read and written again by Grafana's own SDK, which is made from the schema: what that does not know is lost."""
    plugins.register_default_plugins()
    read = Dashboard.from_json(json.loads(json.dumps(BOARD)))
    written = json.loads(JSONEncoder().encode(read))
    # The Prometheus data source's own words for annotations: the schema leaves those to it.
    own = {"titleFormat", "textFormat", "tagKeys", "step"}
    assert {place.rpartition(".")[2] for place in lost(BOARD, written)} == own


def lost(given: Any, kept: Any, place: str = "") -> Iterator[str]:
    """Where `kept` does not say what `given` says."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            yield from lost(value, kept[key], f"{place}.{key}") if key in kept else (f"{place}.{key}",)
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for index, (one, other) in enumerate(zip(given, kept, strict=True)):
            yield from lost(one, other, f"{place}[{index}]")
    elif given != kept:
        yield place


def test_only_what_is_never_negative_begins_at_zero() -> None:
    free = [one["title"] for one in BOARD["panels"] if "min" not in one["fieldConfig"]["defaults"]]
    assert free == ["Releases in flight: evidence on the canary and where it decides"], "a logarithm"


def test_every_panel_has_a_place_of_its_own_and_asks_something() -> None:
    taken: set[tuple[int, int]] = set()
    numbers = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in BOARD["panels"]:
        where = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(where["x"], where["x"] + where["w"])
            for y in range(where["y"], where["y"] + where["h"])
        }
        assert where["x"] + where["w"] <= 24
        assert not cells & taken
        taken |= cells
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["noValue"] == "no data"
        refs = [target["refId"] for target in panel["targets"]]
        assert refs
        assert len(set(refs)) == len(refs)
        assert all(target["expr"] and target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])


def test_environment_and_region_are_variables_and_releases_are_marked() -> None:
    variables = {one["name"]: one for one in BOARD["templating"]["list"]}
    assert set(variables) == {"datasource", "environment", "region"}
    assert all(variables[name]["includeAll"] and variables[name]["multi"] for name in ("environment", "region"))
    assert "$environment" in variables["region"]["query"]["query"]
    assert [one["name"] for one in BOARD["annotations"]["list"]] == ["Releases", "Failed releases"]
    assert all(one["enable"] and one["expr"] for one in BOARD["annotations"]["list"])


def test_no_panel_divides_by_what_may_be_nothing() -> None:
    for panel in BOARD["panels"]:
        for target in panel["targets"]:
            _, slash, divisor = target["expr"].partition(" / ")
            assert not slash or (divisor.startswith("(") and divisor.endswith(" > 0)")), target["expr"]


def test_the_originals_alerts_keep_their_numbers_and_severities() -> None:
    by_name = {rule["alert"]: rule for rule in RULES}
    found = {name: (by_name[name]["for"], by_name[name]["labels"]["severity"]) for name in by_name}
    assert found["DeploymentFailed"] == ("0m", "critical")
    assert found["HighErrorRate"] == ("2m", "warning")
    assert found["DeploymentStuck"] == ("5m", "warning")
    assert "[5m])) > 0" in by_name["DeploymentFailed"]["expr"]
    assert by_name["HighErrorRate"]["expr"].strip().endswith("> 0.01")
    failing, _, every = by_name["HighErrorRate"]["expr"].partition(" / ")
    for part in (failing, every):
        assert "[5m]) unless on (environment, region) tidegate_maintenance > 0" in part
    assert by_name["DeploymentStuck"]["expr"].endswith("> 1800")


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_every_alert_says_what_happened_and_has_a_page(rule: dict[str, Any]) -> None:
    told = rule["annotations"]
    assert told["summary"]
    assert len(told["description"]) > 60
    page = (CHECKOUT / told["runbook_url"]).read_text()
    assert rule["alert"] in page
    for heading in ("## What it means", "## What to do now", "## When it is over"):
        assert heading in page, told["runbook_url"]


async def test_the_chart_makes_nothing_unless_asked_and_is_clean() -> None:
    assert await render() == []
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    helm = await ensure_helm(Path(os.environ.get("TIDEGATE_CACHE") or cache / "tidegate"), print)
    done = await run([str(helm), "lint", "--strict", "--quiet", str(MONITORING)], timeout=60)
    assert done.code == 0, done.stdout


async def test_the_chart_brings_rules_scraping_and_dashboard() -> None:
    every = ("prometheusRule.enabled", "serviceMonitor.enabled", "dashboard.enabled")
    options = [word for name in every for word in ("--set", f"{name}=true")]
    base = "https://wiki.example/tidegate/"
    made = {one["kind"]: one for one in await render(*options, "--set", f"prometheusRule.runbooks={base}")}
    assert set(made) == {"PrometheusRule", "ServiceMonitor", "ConfigMap"}
    rules = [rule for group in made["PrometheusRule"]["spec"]["groups"] for rule in group["rules"]]
    for ours, theirs in zip(RULES, rules, strict=True):
        url = base + ours["annotations"]["runbook_url"]
        assert theirs == ours | {"annotations": ours["annotations"] | {"runbook_url": url}}
    [endpoint] = made["ServiceMonitor"]["spec"]["endpoints"]
    assert (endpoint["path"], endpoint["honorLabels"]) == ("/metrics", True)
    shipped = yaml.safe_load_all((CHECKOUT / "deployments" / "many" / "serve.yaml").read_text())
    service = next(one for one in shipped if one["kind"] == "Service")
    wanted = made["ServiceMonitor"]["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= service["metadata"]["labels"].items()
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert json.loads(made["ConfigMap"]["data"]["tidegate-releases.json"]) == BOARD
