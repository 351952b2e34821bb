"""The alert rules, checked and tested by Prometheus' own promtool."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from monitored import expressions

from clients.process import run
from config import load
from sandbox.debian import unpacked

pytestmark = pytest.mark.slow
MONITORING = Path(__file__).parents[2] / "infrastructure" / "monitoring"


async def promtool() -> str:
    installed = shutil.which("promtool")
    if installed is not None:
        return installed
    # The package is the server's: one folder holds both.
    server = Path("usr/bin/prometheus")
    found = await unpacked("prometheus", server, load.cache() / "prometheus", print)
    assert found is not None, "apt-get has no prometheus here"
    return str(found.with_name("promtool"))


@pytest.mark.parametrize("words", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")])
async def test_promtool_has_nothing_against_them(words: tuple[str, ...]) -> None:
    done = await run([await promtool(), *words], cwd=MONITORING, timeout=60)
    assert done.code == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


async def test_promtool_would_notice_an_alert_that_does_not_fire(tmp_path: Path) -> None:
    """The tests of the rules are tests: with another number they fail."""
    for name in ("alerts.yml", "alerts.test.yml"):
        (tmp_path / name).write_text((MONITORING / name).read_text().replace("> 1800", "> 3600"))
    done = await run([await promtool(), "test", "rules", "alerts.test.yml"], cwd=tmp_path, timeout=60)
    assert done.code == 1
    assert "DeploymentStuck" in done.stdout + done.stderr


# Two replicas tell the same counts, which are the database's; one is replaced while the second release is counted.
REPLICAS = {"a": ("0x4 1x15 stale", "0x4 9x15 stale", "0x40"), "b": ("0x4 1x16 2x20", "0x4 9x16 18x20", "0x40")}
REPLICAS["c"] = ("_x30 2x10", "_x30 18x10", "_x30 0x10")
PLACE = 'environment="production", region="us-east-1", strategy="canary", pipeline="production"'
TOLD = {
    "Deployment success rate, last 24 hours A": 1.0,
    "Mean time to recovery, last 30 days A": 9.0,
    "Change lead time, 30 days A": 60.0,
    "Deployment frequency: releases a day A": 2.0,
    "Incidents prevented, last 30 days A": 2.0,
    "Releases in flight: share of the users by slot A": 10.0,
    "Lock held for A": 30.0,
    "Approvals waiting A": 1.0,
    "Runs that ended, by outcome A": 2.0,
}


def told_by(replica: str) -> dict[str, str]:
    """Series -> its values, of one replica, every 30 s."""
    count, seconds, nothing = REPLICAS[replica]
    own = f'instance="{replica}", pod="serve-{replica}", job="serve"'
    return {
        f"deployments_total{{{PLACE}, {own}}}": count,
        f"deployments_success_total{{{PLACE}, {own}}}": count,
        f"deployments_failed_total{{{PLACE}, {own}}}": nothing,
        f"deployment_recovery_duration_seconds_count{{{PLACE}, {own}}}": count,
        f"deployment_recovery_duration_seconds_sum{{{PLACE}, {own}}}": seconds,
        f'tidegate_runs_total{{pipeline="production", environment="production", outcome="released", {own}}}': count,
        f'tidegate_incidents_prevented_total{{environment="production", strategy="canary", {own}}}': count,
        f'tidegate_traffic_weight_percent{{{PLACE}, slot="green", {own}}}': "10x40",
        f'tidegate_lock_age_seconds{{environment="production", {own}}}': "30x40",
        f'tidegate_approvals_waiting{{environment="production", {own}}}': "1x40",
        f'dora_change_lead_time_seconds{{window="30d", {own}}}': "60x40",
    }


async def test_the_dashboard_counts_once_what_several_replicas_tell(tmp_path: Path) -> None:
    series = [{"series": name, "values": values} for one in REPLICAS for name, values in told_by(one).items()]
    asked = [
        {
            "expr": f"sum({expressions()[title]})",
            "eval_time": "19m",
            "exp_samples": [{"labels": "{}", "value": value}],
        }
        for title, value in TOLD.items()
    ]
    case = {"interval": "30s", "input_series": series, "promql_expr_test": asked}
    (tmp_path / "replicas.yml").write_text(yaml.safe_dump({"evaluation_interval": "30s", "tests": [case]}))
    done = await run([await promtool(), "test", "rules", "replicas.yml"], cwd=tmp_path, timeout=60)
    assert done.code == 0, done.stdout + done.stderr
